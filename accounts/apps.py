from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import anonymization, email_verification, mails, notices, openapi, passwords, two_factor, welcome
        from accounts.signals import account_closed, password_changed
        from outbox import limits
        from outbox.mails import register
        from productbackend.doctor import findings

        openapi.register()
        account_closed.connect(anonymization.on_account_closed, dispatch_uid="accounts.forget")
        password_changed.connect(notices.on_password_changed, dispatch_uid="accounts.notice")
        limits.register(email_verification.is_verified)
        register(email_verification.VERIFY_KIND, mails.verification)
        register(email_verification.NOTICE_KIND, mails.change_notice)
        register(email_verification.CHANGED_KIND, mails.changed_notice)
        register(passwords.RESET_KIND, mails.password_reset)
        for kind in notices.TEMPLATES:
            register(kind, mails.notice)
        findings.REGISTERED.append(findings.Check("second factor", two_factor.missing, "the database"))
        register(welcome.KIND, mails.welcome, delays=welcome.DELAYS, bulk=True)
        self.record_roles()

    def record_roles(self) -> None:
        """Record who may do what. Names and addresses are not recorded."""
        from django.contrib.auth.models import Group

        from productbackend.database.changes import Kind
        from productbackend.database.recorded import register

        permission = "{content_type__app_label}.{codename}"
        flags, staff = ("is_active", "is_staff", "is_superuser"), ("is_staff", "is_superuser")
        many = {"groups": "{name}", "user_permissions": permission}
        register(Kind(self.get_model("User"), flags, name="account {id}", many=many, only_if=staff, key="username_key"))
        register(Kind(Group, ("name",), name="{name}", many={"permissions": permission}))
