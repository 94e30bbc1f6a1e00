"""The settings that are the same in every deployment. settings.py adds those of the environment."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from kombu import Queue

# --- The service ---------------------------------------------------------------------------

INSTALLED_APPS = [
    "productbackend.site.apps.SiteConfig",  # before the apps whose templates it overrides
    "productbackend.site.admin_app.ShopAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "accounts",
    "outbox",
    "products",
    "taxes",
    "delivery",
    "orders",
    "payments",
    "carts",
    "backoffice",
]

MIDDLEWARE = [
    "productbackend.site.middleware.ResponseHeaders",
    "productbackend.observability.request_id.RequestIDMiddleware",
    "productbackend.observability.metrics.exposition.MetricsMiddleware",
    "productbackend.observability.access_log.AccessMiddleware",
    "productbackend.api.cors.CorsMiddleware",
    "productbackend.api.limits.RequestLimits",
    "products.reads.page_cache.CataloguePages",
    "accounts.middleware.PasswordMiddleware",
    "productbackend.api.middleware.ProblemMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.TwoFactorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "productbackend.site.middleware.AdminTimeZoneMiddleware",
]

ROOT_URLCONF = "productbackend.urls"
WSGI_APPLICATION = "productbackend.wsgi.application"
APPEND_SLASH = False  # the catch-all route of urls.py does it, and names the right path for other methods
CSRF_FAILURE_VIEW = "productbackend.api.problems.csrf_failure"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

PAGE_TEMPLATES: dict[str, Any] = {
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "APP_DIRS": True,
    "OPTIONS": {
        "context_processors": [
            "django.template.context_processors.request",
            "django.contrib.auth.context_processors.auth",
            "django.contrib.messages.context_processors.messages",
        ],
    },
}


def templates(*, mails: list[Path]) -> list[dict[str, Any]]:
    """The engine of pages, and that of mails, which looks into the folders `mails` first.

    The second one caches nothing: web and workers see a changed file immediately, without a restart.
    """
    loaders = [f"django.template.loaders.{name}.Loader" for name in ("filesystem", "app_directories")]
    options = {"loaders": loaders, "builtins": ["productbackend.site.templatetags.formats"]}
    return [PAGE_TEMPLATES, {"NAME": "mails", "BACKEND": PAGE_TEMPLATES["BACKEND"], "DIRS": mails, "OPTIONS": options}]


# The sections of the admin's lists, by what a shop keeper does; the tables of the machinery follow, as "System".
ADMIN_SECTIONS = ("Orders", "Catalogue", "Delivery and tax", "Customers and staff")

# --- Celery ----------------------------------------------------------------------------------

CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# A request waits at most one second for the broker, without a retry; the sweeps send lost tasks again.
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_TASK_PUBLISH_RETRY = False
CELERY_ACCEPT_CONTENT = ["json"]  # a worker rejects other content
# Images have their own queue, and their own workers in the Procfile, so that no mail waits behind
# them. A worker that is started without --queues consumes both queues.
CELERY_TASK_QUEUES = [Queue(name, routing_key=name) for name in ("celery", "images")]
CELERY_TASK_ROUTES = {"products.tasks.make_renditions": {"queue": "images"}}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 120
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# In KB of peak memory: a process that exceeds it, by a large picture, is replaced after its task.
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 300_000
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False  # printed mail is not reformatted as log lines
CELERY_BEAT_SCHEDULER = "productbackend.workers.scheduler:Scheduler"
# Created in django-celery-beat's tables if absent, so that changes by staff in the admin persist.
# Name -> task and schedule: an interval, or the fields of a crontab in the shop's time zone.
BEAT_JOBS: dict[str, tuple[str, timedelta | dict[str, str]]] = {
    "welcome mail": ("accounts.tasks.send_welcome_mails", {"hour": "8", "minute": "0"}),
    "sweep: mail": ("outbox.tasks.sweep", timedelta(seconds=30)),
    "sweep: images": ("products.tasks.sweep", timedelta(seconds=30)),
    "remove replaced files": ("products.tasks.remove_replaced_files", timedelta(minutes=5)),
    "sweep: search": ("products.tasks.sweep_reindex", timedelta(seconds=30)),
    "check stock": ("products.tasks.check_stock", timedelta(seconds=60)),
    "sweep: refunds": ("payments.tasks.sweep_refunds", timedelta(seconds=30)),
    "check orders": ("orders.tasks.check_orders", timedelta(seconds=60)),
    "roll sales": ("backoffice.tasks.roll_sales", timedelta(seconds=60)),
    "check sales": ("backoffice.tasks.check_sales", timedelta(seconds=60)),
    "sweep: payments": ("payments.tasks.sweep", timedelta(seconds=30)),
    "expire orders": ("payments.tasks.expire_orders", timedelta(seconds=60)),
    "sweep: imports": ("backoffice.tasks.sweep_imports", timedelta(seconds=30)),
    "make feeds": ("backoffice.tasks.make_feeds", timedelta(hours=1)),
    "sweep: feeds": ("backoffice.tasks.continue_feeds", timedelta(seconds=60)),
    "check payments": ("payments.tasks.check_payments", timedelta(seconds=60)),
    "reconcile payments": ("payments.tasks.reconcile", {"hour": "2", "minute": "30"}),
    # Deletion and anonymization of personal data: docs/retention.md.
    "clear sessions": ("accounts.tasks.clear_sessions", {"hour": "3", "minute": "20"}),
    "forget recipients": ("outbox.tasks.forget_recipients", {"hour": "3", "minute": "25"}),
    "forget closed accounts": ("carts.tasks.forget_closed_accounts", {"hour": "3", "minute": "35"}),
    "anonymize old orders": ("orders.tasks.anonymize_old_orders", {"hour": "3", "minute": "45"}),
    "anonymize payments": ("payments.tasks.anonymize_payments", {"hour": "3", "minute": "50"}),
    "expire guest carts": ("carts.tasks.expire_guest_carts", {"hour": "3", "minute": "40"}),
    "delete old imports": ("backoffice.tasks.delete_old_imports", {"hour": "3", "minute": "55"}),
    "delete old payment events": ("payments.tasks.delete_old_events", {"hour": "3", "minute": "42"}),
    "flush expired tokens": ("accounts.tasks.flush_expired_tokens", {"hour": "3", "minute": "30"}),
}

# --- Accounts --------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.NameOrEmailBackend"]
PASSWORD_HASHERS = [
    "accounts.hashers.BoundedArgon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "accounts.passwords.MaximumLengthValidator"},
    *(
        {"NAME": f"django.contrib.auth.password_validation.{name}"}
        for name in (
            "UserAttributeSimilarityValidator",
            "MinimumLengthValidator",
            "CommonPasswordValidator",
            "NumericPasswordValidator",
        )
    ),
]
LOGIN_URL = "admin:login"
# Codes are counted as passwords are; django-otp's own limit would let anybody with the password lock the owner out.
OTP_TOTP_THROTTLE_FACTOR = OTP_STATIC_THROTTLE_FACTOR = 0

# --- The API ---------------------------------------------------------------------------------

CORS_ALLOW_HEADERS = [
    "Authorization", "Content-Type", "If-Match", "If-None-Match", "Idempotency-Key", "Guest-Token", "Prefer",
    "X-Request-ID",
]  # fmt: skip
CORS_EXPOSE_HEADERS = [
    "ETag", "Location", "Retry-After", "Idempotent-Replayed", "API-Version", "X-Request-ID", "WWW-Authenticate",
]  # fmt: skip
CORS_PREFLIGHT_MAX_AGE = 86400  # seconds

API_VERSION = "1.0.0"  # in the document, and in the header API-Version of every response

SPECTACULAR_SETTINGS = {
    "TITLE": "Product Backend",
    "VERSION": API_VERSION,
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"persistAuthorization": True, "displayOperationId": True, "filter": True},
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_NO_READ_ONLY_REQUIRED": False,
    "ENUM_NAME_OVERRIDES": {
        "ImageStatus": "products.models.ProductImage.Status",
        "SuggestionKind": "products.models.Suggestion.Kind",
        "OrderStatus": "orders.models.Order.Status",
        "RefundStatus": "payments.models.Refund.Status",
        "PaymentStatus": "payments.models.Payment.Status",
        "Country": "productbackend.api.postal_addresses.COUNTRIES",
        "DeliveryReason": "delivery.offers.REASONS",
        "MissingDetail": "carts.serializers.MISSING",
        "ImportKind": "backoffice.imports.models.Import.Kind",
        "ImportMode": "backoffice.imports.models.Import.Mode",
        "ImportStatus": "backoffice.imports.models.Import.Status",
        "ImportOutcome": "backoffice.imports.models.ImportRow.Outcome",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "productbackend.api.openapi.document.complete",
    ],
}

# --- Uploads and files -----------------------------------------------------------------------

JSON_MAX_BYTES = 1_000_000
DATA_UPLOAD_MAX_MEMORY_SIZE = JSON_MAX_BYTES
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "productbackend.storages.uploads.UploadHandler",
]
DATA_UPLOAD_MAX_NUMBER_FIELDS = 6_000  # a cart of 1,000 lines in the admin has 5 fields per line
STATIC_URL = "/static/"

# --- Time, language, safety ------------------------------------------------------------------

TIME_ZONE = "UTC"  # the API uses UTC; the admin and mails show the shop's time zone
USE_TZ = True
LANGUAGE_CODE = "en"
USE_I18N = False
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
