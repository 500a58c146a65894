"""What the page of drills says, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

from api.words.said import Said

TITLE = Said("Restore drills", "恢复演练")
NONE = Said("No drill has been made yet.", "尚未进行过演练。")
PASSED = Said("The backup was restored, and nothing about it is wrong", "备份已恢复，未发现任何问题")
FAILED = Said("The drill failed: {checks}", "演练未通过：{checks}")
FAILED_CHECK = Said("“{check}” did not pass", "“{check}”未通过")
BUT = Said("nothing was restored", "没有完成恢复")
SEPARATOR = Said(", ", "、")
FACTS = Said(
    "Backup {number} at {target}, taken {taken}, restored {begun}",
    "{target} 的备份 {number}，摄于 {taken}，恢复于 {begun}",
)
NOTHING = Said(
    "Nothing at {target} could be restored, tried {begun}", "{target} 没有可恢复的备份，尝试于 {begun}"
)
DRILL = Said("Drill", "演练")
SOFTWARE = Said(
    "strongroom {software}, scratch on {scratch}, keys by {keys}",
    "strongroom {software}，临时库 {scratch}，密钥来源 {keys}",
)
KEYS: Mapping[str, Said] = {
    "root": Said("the root", "根密钥"), "shares": Said("custodians' shares", "保管人份额"),
}  # fmt: skip

RPO = Said("RPO", "RPO")
RPO_MEANS = Said("data that would have been lost", "将丢失的数据时长")
RTO = Said("RTO", "RTO")
RTO_MEANS = Said("from nothing to a service's database", "从零到可用数据库")
ROWS = Said("Rows", "行数")
ROWS_MEANS = Said("{size} of sealed chunks", "密封块共 {size}")
RATE = Said("Rate", "速率")
RATE_MEANS = Said("rows a second, the whole restore", "每秒行数（整个恢复过程）")
PER_SECOND = Said("{rate}/s", "{rate}/秒")

CHECKED = Said("What was checked", "检查内容")
CHECK = Said("Check", "检查")
STATE = Said("State", "结果")
COUNT = Said("Looked at", "检查数")
BAD = Said("Bad", "异常数")
TIME = Said("Time", "用时")
STATES: Mapping[str, Said] = {
    "passed": Said("passed", "通过"), "failed": Said("failed", "未通过"), "skipped": Said("skipped", "未检查"),
}  # fmt: skip
CHECKS: Mapping[str, Said] = {
    "restored": Said(
        "Restored: every chunk is what the manifest says, and as many rows are there as it counts",
        "恢复：每个数据块与清单一致，行数相符",
    ),
    "age": Said("Age: the newest state that can be restored is young enough", "时效：可恢复的最新状态足够新"),
    "whole": Said(
        "Whole: rows fit together, and nothing is back that was deleted",
        "完整：各行相互吻合，已删除的数据没有复现",
    ),
    "keys": Said(
        "Keys: every keyset and person key opens, and the custodians' copy has each business",
        "密钥：每个密钥集和个人密钥均可打开，保管人副本覆盖每个租户",
    ),
    "values": Said("Values: they open, and are what their field allows", "值：可解密，且符合字段规范"),
    "passwords": Said("Passwords: every verifier opens", "口令：每个校验值可打开"),
    "finding": Said("Finding: values lead back to their tokens", "检索：由值可找回其令牌"),
    "live": Said(
        "Live: the service has the same values behind the same tokens, and the same history",
        "对照：线上服务中相同令牌对应相同的值与历史",
    ),
    "canary": Said("Canary: a login gets in with its password alone", "探针：登录名仅凭其口令可登录"),
    "tokenize": Said("Tokenize: a new value goes in and comes out again", "令牌化：新值可写入并读回"),
    "rotation": Said(
        "Rotation: a keyset turns, and what was sealed before still opens",
        "轮换：密钥集可轮换，旧密文仍可打开",
    ),
    "audit": Said("Audit: every log is what its checkpoints say", "审计：每份日志与其检查点一致"),
}

TREND = Said("Drill by drill", "逐次变化")
PLOT_RTO = Said("RTO by phase, seconds", "各阶段 RTO，秒")
PLOT_RPO = Said("RPO, seconds", "RPO，秒")
PLOT_RATE = Said("Rate, rows a second", "速率，行/秒")
PHASES: Mapping[str, Said] = {
    "choose": Said("choose", "选择"), "keyring": Said("keyring", "密钥环"), "data": Said("data", "数据"),
    "index": Said("index", "索引"), "check": Said("check", "校验"), "settle": Said("settle", "收尾"),
}  # fmt: skip
PAST = Said("Drills, the newest first", "历次演练（由新到旧）")
WHEN = Said("When (UTC)", "时间（UTC）")
TARGET = Said("Target", "目标")
BACKUP = Said("Backup", "备份")
RESULT = Said("Result", "结果")
