from django.apps import AppConfig
from django.conf import settings


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        from orders import lifecycle
        from payments import cancelling, deployment, mails, openapi, watching
        from payments.staff import openapi as staff_openapi
        from productbackend.database import verification
        from productbackend.embedded import processes

        openapi.register()
        staff_openapi.register()
        lifecycle.AFTER_CANCEL.append(cancelling.after_cancel)
        mails.register()
        deployment.register()
        watching.register()
        verification.COMMANDS["payments"] = "check_payments"
        if "test" in settings.PAYMENT_METHODS:
            processes.REGISTERED["provider"] = processes.Process(
                command="exec python manage.py test_provider",
                title="The test provider",
                url=settings.TEST_PROVIDER_URL,
                setting="TEST_PROVIDER_URL",
            )
