"""Chinese words for what the audit's records say, to the person whose data they are about."""

from __future__ import annotations

from collections.abc import Mapping

from api.words import zh_results
from api.words.phrase import Phrase

FIELDS: Mapping[str, str] = {
    "bank_card": "银行卡号",
    "bank_account": "银行账号",
    "iban": "国际银行账号（IBAN）",
    "payment_account": "支付账号",
    "resident_id": "身份证号码",
    "uscc": "统一社会信用代码",
    "passport": "护照号码",
    "phone": "手机号码",
    "email": "电子邮箱",
    "person_name": "姓名",
    "company_name": "公司名称",
    "address": "地址",
    "login_name": "登录名",
    "text": "其他数据",
    "login_record": "登录记录",
}
DATA = "数据"
AND = "和"
YOURS = "您的{fields}{view}"
WAS = ("", "")  # no verb changes with the number
COMMA = "、"

VIEWS: Mapping[str, str] = {
    "full": "（全部内容）",
    "masked": "（仅显示部分）",
    "last4": "（仅显示末四位）",
    "fingerprint": "（仅指纹，不显示内容）",
    "match": "",
}
PURPOSES: Mapping[str, str] = {
    "service": "提供服务",
    "settle": "结算",
    "verify-identity": "核实身份",
    "notify": "发送通知",
    "market": "营销",
    "risk": "风险控制",
    "statistics": "统计",
    "audit": "审计",
    "legal": "法律事务",
    "support": "客户支持",
    "subject-request": "您本人的请求",
}
OTHER_PURPOSE = "{purpose}"
WHY = "为“{purpose}”"
RESULTS = zh_results.RESULTS
REFUSED = "{tried}，被拒绝：{result}。"
DONE = "{done}。"
REFERENCES: Mapping[str, str] = {"case": "案件 {named}", "consent": "您的同意 {named}"}
REFERENCE = "（{references}）"

CALLERS: Mapping[str, str] = {
    "sealer": "审计系统",
    "shipper": "审计系统",
    "maintenance": "系统",
    "bootstrap": "系统设置人",
    "local": "系统设置人",
}
NAMELESS = "未命名的密钥（{caller}）"
NAMED = "“{caller}”"
OTHER_RESULT = "{result}"
REACH = "以上为截至 {time} 已封存的记录；另有 {pending} 条较新的记录稍后显示。"
REACH_ALL = "以上为截至 {time} 的全部记录。"
NOTHING = "没有记录。"

OPERATIONS: Mapping[str, Phrase] = {
    # what happens to a person's data
    "tokenize": Phrase("{what}被{who}保存", "{who}试图保存{what}"),
    "reveal": Phrase("{what}被{who}{why}查看", "{who}试图{why}查看{what}"),
    "reveal_plain": Phrase("{what}被{who}{why}完整查看", "{who}试图{why}完整查看{what}"),
    "compare": Phrase("{what}被{who}{why}与他人提供的内容比对", "{who}试图{why}将{what}与他人提供的内容比对"),
    "find": Phrase("{what}被{who}查找", "{who}试图查找{what}"),
    "describe": Phrase("{who}查询了保存有{what}的情况，未看到内容", "{who}试图查询保存有{what}的情况"),
    "list": Phrase("{who}列出了保存有{what}的情况，未看到内容", "{who}试图列出保存有{what}的情况"),
    "delete": Phrase("{what}被{who}删除", "{who}试图删除{what}"),
    "erase": Phrase("您的全部数据被{who}彻底删除", "{who}试图彻底删除您的全部数据"),
    "expire": Phrase("{what}因保存期限已过而被删除", "系统试图删除{what}"),
    "store_password": Phrase("{who}保存了您的密码", "{who}试图保存您的密码"),
    "change_password": Phrase("{who}修改了您的密码", "{who}试图修改您的密码"),
    "reset_password": Phrase("{who}为您设置了新密码", "{who}试图为您设置新密码"),
    "delete_password": Phrase("{who}删除了您的密码", "{who}试图删除您的密码"),
    "verify_password": Phrase("{who}验证了您的密码，密码正确", "{who}为您验证了一个密码"),
    "import_passwords": Phrase("{who}从其他系统转入了您的密码", "{who}试图从其他系统转入您的密码"),
    "unlock_login": Phrase("{who}解除了您的登录锁定", "{who}试图解除您的登录锁定"),
    "list_log_ins": Phrase("{who}{why}查看了您的登录记录", "{who}试图{why}查看您的登录记录"),
    "audit_read": Phrase("{who}查询了您的数据的使用记录", "{who}试图查询您的数据的使用记录"),
    # what operations are called where they are refused at the door
    "verify": Phrase("{who}验证了密码", "{who}试图验证密码"),
    "passwords": Phrase("{who}管理了密码", "{who}试图管理密码"),
    "unlock": Phrase("{who}解除了登录锁定", "{who}试图解除登录锁定"),
    "logins": Phrase("{who}查看了登录记录", "{who}试图查看登录记录"),
    "apikeys": Phrase("{who}管理了 API 密钥", "{who}试图管理 API 密钥"),
    "keys": Phrase("{who}查看了密钥情况", "{who}试图查看密钥情况"),
    "custody": Phrase("{who}管理了密钥", "{who}试图管理密钥"),
    "roots": Phrase("{who}管理了根密钥", "{who}试图管理根密钥"),
    "audit": Phrase("{who}查阅了审计记录", "{who}试图查阅审计记录"),
    "policy": Phrase("{who}处理了规则", "{who}试图处理规则"),
    "decoys": Phrase("{who}制作了诱饵", "{who}试图制作诱饵"),
    "backups": Phrase("{who}管理了备份", "{who}试图管理备份"),
    "start_make_backup": Phrase("{who}发起了备份", "{who}试图发起备份"),
    "start_verify_backups": Phrase("{who}发起了备份校验", "{who}试图发起备份校验"),
    "start_prune_backups": Phrase("{who}清理了旧备份", "{who}试图清理旧备份"),
    "report_drill": Phrase("{who}报告了备份恢复演练", "{who}报告备份恢复演练未通过"),
    "rotate_backup_keys": Phrase("{who}轮换了备份密钥", "{who}试图轮换备份密钥"),
    "make_backup": Phrase("已完成备份", "备份未能完成"),
    "verify_backups": Phrase("已校验备份", "备份未能校验"),
    "prune_backups": Phrase("已清理旧备份", "旧备份未能清理"),
    "callers": Phrase("{who}管理了调用方", "{who}试图管理调用方"),
    "any": Phrase("{who}提出了请求", "{who}试图提出请求"),
    # what is done to the service
    "bootstrap": Phrase("{who}制作了最初的 API 密钥", "{who}试图制作最初的 API 密钥"),
    "create_api_key": Phrase("{who}制作了 API 密钥", "{who}试图制作 API 密钥"),
    "rotate_api_key": Phrase("{who}更换了 API 密钥", "{who}试图更换 API 密钥"),
    "revoke_api_key": Phrase("{who}吊销了 API 密钥", "{who}试图吊销 API 密钥"),
    "propose": Phrase("{who}提出了需两人同意的提议", "{who}试图提出提议"),
    "approve": Phrase("{who}批准了提议", "{who}试图批准提议"),
    "reject": Phrase("{who}否决了提议", "{who}试图否决提议"),
    "withdraw": Phrase("{who}撤回了提议", "{who}试图撤回提议"),
    "use_approval": Phrase("{who}使用了批准", "{who}试图使用批准"),
    "take_policy": Phrase("{who}启用了新规则", "{who}试图启用新规则"),
    "freeze_caller": Phrase("{who}停用了调用方", "{who}试图停用调用方"),
    "unfreeze_caller": Phrase("{who}恢复了调用方", "{who}试图恢复调用方"),
    "acknowledge_alarm": Phrase("{who}处理了警报", "{who}试图处理警报"),
    "start_rotate_keyset": Phrase("{who}开始更换密钥", "{who}试图更换密钥"),
    "start_compromise_key": Phrase("{who}声明密钥泄露", "{who}试图声明密钥泄露"),
    "start_move_root": Phrase("{who}开始将密钥移至另一根密钥", "{who}试图将密钥移至另一根密钥"),
    "start_rotate_root": Phrase("{who}开始轮换根密钥", "{who}试图轮换根密钥"),
    "start_rewrap": Phrase("{who}开始重新包裹密钥", "{who}试图重新包裹密钥"),
    "rotate_keyset": Phrase("密钥已按{who}的要求更换", "密钥未能按{who}的要求更换"),
    "compromise_key": Phrase("泄露的密钥已按{who}的要求更换并销毁", "泄露的密钥未能按{who}的要求更换"),
    "move_root": Phrase("密钥已按{who}的要求移至另一根密钥", "密钥未能按{who}的要求移动"),
    "rotate_root": Phrase("根密钥已按{who}的要求轮换", "根密钥未能按{who}的要求轮换"),
    "rewrap": Phrase("密钥已按{who}的要求重新包裹", "密钥未能按{who}的要求重新包裹"),
    "cancel_job": Phrase("{who}取消了一项工作", "{who}试图取消一项工作"),
    "disable_key": Phrase("{who}停用了密钥", "{who}试图停用密钥"),
    "enable_key": Phrase("{who}恢复了密钥", "{who}试图恢复密钥"),
    "plan_key_destruction": Phrase("{who}计划销毁密钥", "{who}试图计划销毁密钥"),
    "cancel_key_destruction": Phrase("{who}取消了销毁密钥的计划", "{who}试图取消销毁密钥的计划"),
    "destroy_key": Phrase("{who}销毁了密钥", "{who}试图销毁密钥"),
    "reopen_log": Phrase("{who}在恢复后开启了新的审计日志", "{who}试图开启新的审计日志"),
    "restore": Phrase("服务已从备份恢复", "服务未能从备份恢复"),
    "log_opened": Phrase("审计日志已开启", "审计日志未能开启"),
    "log_started": Phrase("审计开始封存", "审计未能封存"),
    "log_stopped": Phrase("审计停止封存", "审计未能停止"),
    "archive_audit": Phrase("较早的审计记录已移入归档", "较早的审计记录未能归档"),
    "audit_paused": Phrase("因无法在外部留存审计记录，所有请求均被拒绝", "审计暂停"),
    "audit_resumed": Phrase("请求恢复受理", "审计未能恢复"),
}
OTHER_OPERATION = Phrase("{who}对{what}进行了操作（{operation}）", "{who}试图对{what}进行操作（{operation}）")
