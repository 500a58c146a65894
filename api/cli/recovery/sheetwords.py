"""What the printed sheets say, in English and Chinese side by side: whoever needs one may read but one of the two."""

from __future__ import annotations

from api.words.said import Said

SHARE = Said("Recovery key · share {number} of {count}", "恢复密钥 · 第 {number} 份（共 {count} 份）")
RECORD = Said("Recovery key · record", "恢复密钥 · 记录")
SECRET = Said(
    "Secret. Any {threshold} of the {count} shares open every backup. Keep it sealed and alone.",
    "机密。任意 {threshold} 份（共 {count} 份）即可打开全部备份。请密封，并与其他各份分开保管。",
)
PUBLIC = Said(
    "No secret. Any {threshold} of the {count} shares make the key. Keep it where nobody changes it.",
    "本页不含机密。任意 {threshold} 份（共 {count} 份）可恢复密钥。请存放在无人能改动之处。",
)
WORDS = Said("The {words} words, in this order", "{words} 个词，按此顺序")
SCAN = Said("The words, to scan", "各词，供扫描")
SCAN_RECORD = Said("The record, no secret", "记录，非机密")
MADE = Said("Made", "生成时间")
CHECK = Said("Check value", "密钥校验值")
DIGEST = Said("Digest of share {number}", "第 {number} 份摘要")
RECIPIENT = Said("age recipient", "接收方公钥")
KEY = Said("Manifest key", "清单公钥")
NO_KEY = Said("none yet; strongroom backup keys prints them", "尚无；由 strongroom backup keys 打印")
HOW = Said("How to use it", "使用方法")
RECORD_NAME = "recovery.txt"
STEPS = (
    (
        Said("Check a share, once a year:", "每年检查一次本份："),
        f"strongroom recovery check {RECORD_NAME}",
        Said("Type the words when asked. Nothing of them is shown.", "按提示输入各词，屏幕不显示。"),
    ),
    (
        Said(
            "Restore, {threshold} custodians together, on a machine with an empty database:",
            "恢复：{threshold} 位保管人到场，在数据库为空的机器上运行：",
        ),
        f"strongroom restore --from TARGET --trust {RECORD_NAME} --with-shares",
        Said(
            "Compare the check value on the screen with this sheet. `STRONGROOM_…` settings as on the lost machine.",
            "将屏幕上的校验值与本页比对。`STRONGROOM_…` 设置与原机器相同。",
        ),
    ),
)
LAST = (
    Said(
        f"{RECORD_NAME} is the record: scan its code, or type it from its own sheet; the keys in it say whose backups"
        " are believed.",
        f"{RECORD_NAME} 即记录：可扫描其二维码，或按记录页输入；其中的公钥决定信任谁的备份。",
    ),
    Said("Of each word, the first four letters are enough.", "每个词输入前四个字母即可。"),
    Said(
        "Any SLIP-39 program joins the shares, without a passphrase, to 32 bytes: an age X25519 identity's secret.",
        "任何 SLIP-39 程序（不设口令）都能把各份合成 32 字节，即 age X25519 私钥。",
    ),
)
