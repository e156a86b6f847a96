"""A systemd service and its timer."""

from __future__ import annotations

from webapp.cron.call import Call, Caller, quote
from webapp.cron.curl import CURL, PATIENCE_S, STRICT
from webapp.cron.every import calendar

NOTES = (
    "Run as root in a shell that has SMART_SYNC_ADMIN_TOKEN. The token is kept in /etc/smart-sync/header for root only; the",
    "service gets it as a credential. A failed sync is a failed unit, its answer is in `journalctl -u smart-sync-tick`;",
    "add OnFailure= to be told. `systemctl list-timers smart-sync-tick` shows the next call.",
)
SCRIPT = """\
install -d -m 700 /etc/smart-sync
(umask 077; printf 'Authorization: Bearer %s\\n' "$SMART_SYNC_ADMIN_TOKEN" > /etc/smart-sync/header)

cat > /etc/systemd/system/smart-sync-tick.service <<'END'
[Unit]
Description=Smart Sync: one call
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart=/usr/bin/curl --header @${{CREDENTIALS_DIRECTORY}}/header {curl} {url}
LoadCredential=header:/etc/smart-sync/header
DynamicUser=yes
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
TimeoutStartSec={patience_s}
END

cat > /etc/systemd/system/smart-sync-tick.timer <<'END'
[Unit]
Description=Smart Sync: when to call

[Timer]
OnCalendar={calendar}
AccuracySec=1s
Persistent=true

[Install]
WantedBy=timers.target
END

systemctl daemon-reload
systemctl enable --now smart-sync-tick.timer
"""


def _write(call: Call) -> str:
    url = call.trigger(**STRICT).replace("%", "%%")  # a bare one begins a specifier
    when = calendar(call.fields("systemd"))
    return SCRIPT.format(curl=CURL, url=quote(url), calendar=when, patience_s=PATIENCE_S + 30)


CALLER = Caller("5m", NOTES, _write)
