"""English words for what the audit's records say, to the person whose data they are about."""

from __future__ import annotations

from collections.abc import Mapping

from api.words import en_results
from api.words.phrase import Phrase

FIELDS: Mapping[str, str] = {
    "bank_card": "bank card",
    "bank_account": "bank account",
    "iban": "international bank account (IBAN)",
    "payment_account": "payment account",
    "resident_id": "identity card number",
    "uscc": "company registration code",
    "passport": "passport number",
    "phone": "phone number",
    "email": "e-mail address",
    "person_name": "name",
    "company_name": "company name",
    "address": "address",
    "login_name": "login name",
    "text": "further data",
    "login_record": "record of a log-in",
}
DATA = "data"
AND = " and "
YOURS = "your {fields}{view}"
WAS = ("was", "were")  # of one thing, of several
COMMA = ", "

VIEWS: Mapping[str, str] = {
    "full": " (whole)",
    "masked": " (partly hidden)",
    "last4": " (the last four characters)",
    "fingerprint": " (a fingerprint, which shows nothing)",
    "match": "",
}
PURPOSES: Mapping[str, str] = {
    "service": "to serve you",
    "settle": "to settle a payment",
    "verify-identity": "to verify who you are",
    "notify": "to send you a message",
    "market": "for advertising",
    "risk": "to prevent fraud",
    "statistics": "for statistics",
    "audit": "for an audit",
    "legal": "for a legal case",
    "support": "to help you",
    "subject-request": "because you asked for it",
}
OTHER_PURPOSE = "for {purpose}"
WHY = ", {purpose}"
RESULTS = en_results.RESULTS
REFUSED = "{tried}, and was refused: {result}."
DONE = "{done}."
REFERENCES: Mapping[str, str] = {"case": "case {named}", "consent": "your consent {named}"}
REFERENCE = " ({references})"

CALLERS: Mapping[str, str] = {
    "sealer": "the audit itself",
    "shipper": "the audit itself",
    "maintenance": "the service itself",
    "bootstrap": "whoever set the service up",
    "local": "whoever set the service up",
}
NAMELESS = "an API key without a name ({caller})"
NAMED = "{caller}"
OTHER_RESULT = "{result}"
REACH = "This reaches to what was on record at {time}; what came later ({pending} by now) is still to come."
REACH_ALL = "This is all that was on record at {time}."
NOTHING = "Nothing is on record."

OPERATIONS: Mapping[str, Phrase] = {
    # what happens to a person's data
    "tokenize": Phrase("{What} {was} stored by {who}", "{Who} tried to store {what}"),
    "reveal": Phrase("{What} {was} looked at by {who}{why}", "{Who} tried to look at {what}{why}"),
    "reveal_plain": Phrase(
        "{What} {was} looked at whole by {who}{why}", "{Who} tried to look at {what} whole{why}"
    ),
    "compare": Phrase(
        "{What} {was} compared with what somebody gave by {who}{why}",
        "{Who} tried to compare {what} with what somebody gave{why}",
    ),
    "find": Phrase("{What} {was} looked for by {who}", "{Who} tried to look for {what}"),
    "describe": Phrase(
        "{Who} asked what is kept of {what}, without seeing it", "{Who} tried to ask what is kept of {what}"
    ),
    "list": Phrase(
        "{Who} listed what is kept of {what}, without seeing it", "{Who} tried to list what is kept of {what}"
    ),
    "delete": Phrase("{What} {was} deleted by {who}", "{Who} tried to delete {what}"),
    "erase": Phrase(
        "All that was kept of you was erased by {who}", "{Who} tried to erase all that is kept of you"
    ),
    "expire": Phrase(
        "{What} {was} deleted, for the time to keep it was over", "The service tried to delete {what}"
    ),
    "store_password": Phrase("{Who} stored your password", "{Who} tried to store your password"),
    "change_password": Phrase("{Who} changed your password", "{Who} tried to change your password"),
    "reset_password": Phrase("{Who} set a new password for you", "{Who} tried to set a new password for you"),
    "delete_password": Phrase("{Who} deleted your password", "{Who} tried to delete your password"),
    "verify_password": Phrase(
        "Your password was given to {who}, and was right", "A password was given to {who} for you"
    ),
    "import_passwords": Phrase(
        "{Who} took your password over from another system", "{Who} tried to take your password over"
    ),
    "unlock_login": Phrase("{Who} unlocked your login", "{Who} tried to unlock your login"),
    "list_log_ins": Phrase("{Who} looked at your log-ins{why}", "{Who} tried to look at your log-ins{why}"),
    "audit_read": Phrase(
        "{Who} looked up what happened to your data", "{Who} tried to look up what happened to your data"
    ),
    # what operations are called where they are refused at the door
    "verify": Phrase("{Who} verified a password", "{Who} tried to verify a password"),
    "passwords": Phrase("{Who} managed passwords", "{Who} tried to manage passwords"),
    "unlock": Phrase("{Who} unlocked a login", "{Who} tried to unlock a login"),
    "logins": Phrase("{Who} looked at log-ins", "{Who} tried to look at log-ins"),
    "apikeys": Phrase("{Who} managed API keys", "{Who} tried to manage API keys"),
    "keys": Phrase("{Who} looked at keys", "{Who} tried to look at keys"),
    "custody": Phrase("{Who} managed keys", "{Who} tried to manage keys"),
    "roots": Phrase("{Who} managed root keys", "{Who} tried to manage root keys"),
    "audit": Phrase("{Who} read the audit", "{Who} tried to read the audit"),
    "policy": Phrase("{Who} worked on the policy", "{Who} tried to work on the policy"),
    "decoys": Phrase("{Who} made decoys", "{Who} tried to make decoys"),
    "backups": Phrase("{Who} managed backups", "{Who} tried to manage backups"),
    "start_make_backup": Phrase("{Who} had a backup made", "{Who} tried to have a backup made"),
    "start_verify_backups": Phrase(
        "{Who} had the backups verified", "{Who} tried to have the backups verified"
    ),
    "start_prune_backups": Phrase("{Who} had old backups removed", "{Who} tried to have old backups removed"),
    "report_drill": Phrase(
        "{Who} reported a drill of backups", "{Who} reported a drill of backups that failed"
    ),
    "rotate_backup_keys": Phrase(
        "{Who} turned the keys of backups", "{Who} tried to turn the keys of backups"
    ),
    "make_backup": Phrase("A backup was made", "A backup could not be made"),
    "verify_backups": Phrase("The backups were verified", "The backups could not be verified"),
    "prune_backups": Phrase("Old backups were removed", "Old backups could not be removed"),
    "callers": Phrase("{Who} managed callers", "{Who} tried to manage callers"),
    "any": Phrase("{Who} asked for something", "{Who} tried to ask for something"),
    # what is done to the service
    "bootstrap": Phrase("{Who} made the first API keys", "{Who} tried to make the first API keys"),
    "create_api_key": Phrase("{Who} made an API key", "{Who} tried to make an API key"),
    "rotate_api_key": Phrase("{Who} replaced an API key", "{Who} tried to replace an API key"),
    "revoke_api_key": Phrase("{Who} ended an API key", "{Who} tried to end an API key"),
    "propose": Phrase("{Who} proposed something that needs two people", "{Who} tried to propose something"),
    "approve": Phrase("{Who} approved a proposal", "{Who} tried to approve a proposal"),
    "reject": Phrase("{Who} rejected a proposal", "{Who} tried to reject a proposal"),
    "withdraw": Phrase("{Who} withdrew a proposal", "{Who} tried to withdraw a proposal"),
    "use_approval": Phrase("{Who} used an approval", "{Who} tried to use an approval"),
    "take_policy": Phrase("{Who} put another policy in force", "{Who} tried to put another policy in force"),
    "freeze_caller": Phrase("{Who} stopped a caller", "{Who} tried to stop a caller"),
    "unfreeze_caller": Phrase("{Who} let a caller act again", "{Who} tried to let a caller act again"),
    "acknowledge_alarm": Phrase("{Who} saw to an alarm", "{Who} tried to see to an alarm"),
    "start_rotate_keyset": Phrase("{Who} began to replace a key", "{Who} tried to replace a key"),
    "start_compromise_key": Phrase("{Who} declared a key leaked", "{Who} tried to declare a key leaked"),
    "start_move_root": Phrase(
        "{Who} began to move keys to another root", "{Who} tried to move keys to another root"
    ),
    "start_rotate_root": Phrase("{Who} began to turn a root key", "{Who} tried to turn a root key"),
    "start_rewrap": Phrase("{Who} began to wrap keys anew", "{Who} tried to wrap keys anew"),
    "rotate_keyset": Phrase(
        "A key was replaced, as {who} asked", "A key could not be replaced, as {who} asked"
    ),
    "compromise_key": Phrase(
        "A leaked key was replaced and destroyed, as {who} asked",
        "A leaked key could not be replaced, as {who} asked",
    ),
    "move_root": Phrase(
        "Keys were moved to another root, as {who} asked", "Keys could not be moved, as {who} asked"
    ),
    "rotate_root": Phrase(
        "A root key was turned, as {who} asked", "A root key could not be turned, as {who} asked"
    ),
    "rewrap": Phrase(
        "Keys were wrapped anew, as {who} asked", "Keys could not be wrapped anew, as {who} asked"
    ),
    "cancel_job": Phrase("{Who} called a job off", "{Who} tried to call a job off"),
    "disable_key": Phrase("{Who} suspended a key", "{Who} tried to suspend a key"),
    "enable_key": Phrase("{Who} took a key into use again", "{Who} tried to take a key into use again"),
    "plan_key_destruction": Phrase("{Who} planned to destroy a key", "{Who} tried to plan to destroy a key"),
    "cancel_key_destruction": Phrase("{Who} called off to destroy a key", "{Who} tried to keep a key"),
    "destroy_key": Phrase("{Who} destroyed a key", "{Who} tried to destroy a key"),
    "reopen_log": Phrase(
        "{Who} opened another log of the audit after a restore",
        "{Who} tried to open another log of the audit",
    ),
    "restore": Phrase(
        "The service was restored from a backup", "The service could not be restored from a backup"
    ),
    "log_opened": Phrase("The audit's log was opened", "The audit's log could not be opened"),
    "log_started": Phrase("The audit began to be sealed", "The audit could not be sealed"),
    "log_stopped": Phrase("The audit stopped to be sealed", "The audit could not be stopped"),
    "archive_audit": Phrase(
        "Old records of the audit were put into an archive", "Old records of the audit could not be archived"
    ),
    "audit_paused": Phrase(
        "All requests were refused, for the audit could not be kept outside", "The audit paused"
    ),
    "audit_resumed": Phrase("Requests were served again", "The audit could not go on"),
}
OTHER_OPERATION = Phrase(
    "{Who} did something with {what} ({operation})", "{Who} tried something with {what} ({operation})"
)
