from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import addresses, mails, passwords, welcome
        from outbox.mails import register

        register(addresses.CONFIRM_KIND, mails.confirmation)
        register(addresses.NOTICE_KIND, mails.change_notice)
        register(passwords.RESET_KIND, mails.password_reset)
        register(welcome.KIND, mails.welcome, delays=welcome.DELAYS, bulk=True)
