"""The only settings. Every environment variable is read here; `.env.sample` describes each."""

import hashlib
import hmac
from datetime import timedelta
from pathlib import Path
from typing import Any

from kombu import Queue

from productbackend import environment
from productbackend.environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment(environment.PATH)

# --- The service ---------------------------------------------------------------------------

SECRET_KEY = env("SECRET_KEY", cast=environment.secret)
# A key of its own for tokens, so that sessions survive a change of it; derived where none is set.
JWT_SIGNING_KEY = env("JWT_SIGNING_KEY", None, environment.secret) or (
    hmac.new(SECRET_KEY.encode(), b"productbackend.jwt", hashlib.sha256).hexdigest()
)
DEBUG = env("DEBUG", False, environment.boolean)
ALLOWED_HOSTS = env("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"], environment.names)
SHOP_NAME = env("SHOP_NAME", "Product Backend")
SHOP_TIME_ZONE = env("TIME_ZONE", "UTC", environment.time_zone)
CURRENCY = env("CURRENCY", "EUR", environment.currency)
PORT = env("PORT", 8000, environment.port)
NUM_PROXIES = env("NUM_PROXIES", 0, environment.whole(0, 9))
SITE_URL = env("SITE_URL", f"http://127.0.0.1:{PORT}", environment.url)  # where links in mails lead
# What this machine keeps: the embedded database, cache and queue, and the pictures.
DATA_DIR = BASE_DIR / env("DATA_DIR", "var", Path)
# A worker and a beat touch it while they do their work.
ALIVE_FILE = env("ALIVE_FILE", None, Path)

INSTALLED_APPS = [
    "productbackend.apps.ProductBackendConfig",  # before those whose templates it has its own of
    "django.contrib.admin",
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
    "accounts",
    "outbox",
    "products",
    "orders",
    "carts",
]

MIDDLEWARE = [
    "productbackend.middleware.ResponseHeaders",
    "productbackend.request_id.RequestIDMiddleware",
    "productbackend.metrics.exposition.MetricsMiddleware",
    "productbackend.access.AccessMiddleware",
    "products.page_cache.CataloguePages",
    "productbackend.api.middleware.ProblemMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "productbackend.middleware.AdminTimeZoneMiddleware",
]

ROOT_URLCONF = "productbackend.urls"
WSGI_APPLICATION = "productbackend.wsgi.application"
APPEND_SLASH = False  # the last route of urls.py does it, and names the right path to other methods
CSRF_FAILURE_VIEW = "productbackend.api.problems.csrf_failure"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- The database: MySQL where MYSQL_HOST is set, else SQLite --------------------------------

MYSQL_HOST = env("MYSQL_HOST", None)
DATABASE: dict[str, Any]
if MYSQL_HOST:
    DATABASE = {
        "ENGINE": "django.db.backends.mysql",
        "HOST": MYSQL_HOST,
        "PORT": env("MYSQL_PORT", 3306, environment.port),
        "NAME": env("MYSQL_DATABASE", "productbackend"),
        "USER": env("MYSQL_USER", "productbackend"),
        "PASSWORD": env("MYSQL_PASSWORD", ""),
        "OPTIONS": {
            "charset": "utf8mb4",
            "isolation_level": "read committed",
            "connect_timeout": 5,
            # Bad data is an error and not a truncation, whatever the server's own mode; and a list follows
            # one index in its order, where an intersection of two would have to be sorted. For several values
            # plans are made from statistics: a look into each index for each category of a subtree takes longer
            # than to read the page.
            "init_command": "SET sql_mode='STRICT_TRANS_TABLES,ONLY_FULL_GROUP_BY,ERROR_FOR_DIVISION_BY_ZERO', "
            "optimizer_switch='index_merge_intersection=off', eq_range_index_dive_limit=2",
        },
        "TEST": {"CHARSET": "utf8mb4"},
    }
else:
    DATABASE = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "db.sqlite3",
        # Together these end "database is locked": writers queue at BEGIN instead of failing midway.
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON;",
        },
        # A file too: threads that share a database in memory are not kept apart as processes are.
        "TEST": {"NAME": DATA_DIR / "test.sqlite3"},
    }
DATABASES = {"default": DATABASE | {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}}

# A replica that the catalogue is read from while it has all that the primary has; see productbackend/replica.py.
MYSQL_REPLICA_HOST = env("MYSQL_REPLICA_HOST", None)
if MYSQL_HOST and MYSQL_REPLICA_HOST:
    DATABASES["replica"] = DATABASE | {
        "HOST": MYSQL_REPLICA_HOST,
        "PORT": env("MYSQL_REPLICA_PORT", DATABASE["PORT"], environment.port),
        "USER": env("MYSQL_REPLICA_USER", DATABASE["USER"]),
        "PASSWORD": env("MYSQL_REPLICA_PASSWORD", DATABASE["PASSWORD"]),
        # One that hangs is given up in time for the primary to answer.
        "OPTIONS": DATABASE["OPTIONS"] | {"connect_timeout": 1, "read_timeout": 5},
        "CONN_MAX_AGE": 60,  # and no health check: each read asks it something first
        "TEST": {"MIRROR": "default"},
    }
    DATABASE_ROUTERS = ["productbackend.replica.Router"]

# --- Cache and queue: Redis where REDIS_HOST is set, else files that the processes share ------

REDIS_HOST = env("REDIS_HOST", None)
BROKER_DIR = DATA_DIR / "broker"
BROKER_OPTIONS: dict[str, Any]
if REDIS_HOST:
    REDIS_PORT = env("REDIS_PORT", 6379, environment.port)
    REDIS_PASSWORD = env("REDIS_PASSWORD", "")
    # Two of the server's numbered databases: the queue in this one, the cache in the next.
    REDIS_DATABASE = env("REDIS_DATABASE", 0, environment.whole(0, 99))
    CACHE: dict[str, Any] = {
        "BACKEND": "productbackend.redis_cache.RedisCache",
        "LOCATION": environment.redis_url(REDIS_HOST, REDIS_PORT, REDIS_PASSWORD, REDIS_DATABASE + 1),
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
    # The queue may have a server of its own, or several, of which Sentinels know which is the master.
    REDIS_BROKER_HOST = env("REDIS_BROKER_HOST", REDIS_HOST)
    REDIS_BROKER_PORT = env("REDIS_BROKER_PORT", REDIS_PORT, environment.port)
    REDIS_BROKER_PASSWORD = env("REDIS_BROKER_PASSWORD", REDIS_PASSWORD)
    REDIS_BROKER_SENTINELS = env("REDIS_BROKER_SENTINELS", [], environment.places)
    CELERY_BROKER_URL = ";".join(
        environment.redis_url(host, port, REDIS_BROKER_PASSWORD, REDIS_DATABASE, "sentinel")
        for host, port in REDIS_BROKER_SENTINELS
    ) or environment.redis_url(REDIS_BROKER_HOST, REDIS_BROKER_PORT, REDIS_BROKER_PASSWORD, REDIS_DATABASE)
    BROKER_OPTIONS = {
        # Longer than the longest task, or Redis would hand it out a second time while it runs.
        "visibility_timeout": 600,
        "unacked_restore_throttle": 1,
        "socket_timeout": 5,
        "socket_connect_timeout": 1,
    }
    if REDIS_BROKER_SENTINELS:
        BROKER_OPTIONS["master_name"] = REDIS_BROKER_HOST
else:
    CACHE = {
        "BACKEND": "productbackend.file_cache.CountingFileCache",
        "LOCATION": DATA_DIR / "cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
    CELERY_BROKER_URL = "filesystem://localhost"
    BROKER_OPTIONS = {
        "data_folder_in": str(BROKER_DIR / "queue"),
        "data_folder_out": str(BROKER_DIR / "queue"),
        "control_folder": str(BROKER_DIR / "control"),
        "polling_interval": 0.1,
    }
CACHES = {"default": CACHE}

CELERY_BROKER_TRANSPORT_OPTIONS = BROKER_OPTIONS
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# A request never waits for the queue: one second, no retry; the sweeps bring back what was lost.
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_TASK_PUBLISH_RETRY = False
# Pictures have a queue of their own, and in the Procfile workers of their own: no mail waits behind
# them. A worker that is started without --queues takes both.
CELERY_TASK_QUEUES = [Queue(name, routing_key=name) for name in ("celery", "images")]
CELERY_TASK_ROUTES = {"products.tasks.make_renditions": {"queue": "images"}}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 120
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# In KB, at the peak: a process that a large picture has grown beyond it is replaced after its task.
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 300_000
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False  # mail that is printed stays as it is
# On disk each inspected worker would cost every poll another listing of the folder.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = bool(REDIS_HOST)
CELERY_TIMEZONE = SHOP_TIME_ZONE
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
# Written into django-celery-beat's tables where absent, so that what staff change in the admin stays.
# Name -> task and when: every so often, or at these fields of a crontab in the shop's own time.
BEAT_JOBS: dict[str, tuple[str, timedelta | dict[str, str]]] = {
    "welcome mail": ("accounts.tasks.send_welcome_mails", {"hour": "8", "minute": "0"}),
    "sweep: mail": ("outbox.tasks.sweep", timedelta(seconds=30)),
    "sweep: images": ("products.tasks.sweep", timedelta(seconds=30)),
    "check stock": ("products.tasks.check_stock", timedelta(seconds=60)),
    "flush expired tokens": ("accounts.tasks.flush_expired_tokens", {"hour": "3", "minute": "30"}),
}

# --- Accounts --------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
# Whether a customer must have confirmed the e-mail address before checking out.
REQUIRE_VERIFIED_EMAIL = env("REQUIRE_VERIFIED_EMAIL", False, environment.boolean)
# Whom `make run` creates on its first start; with no password one is made and shown once.
SUPERUSER_USERNAME = env("DJANGO_SUPERUSER_USERNAME", "admin")
SUPERUSER_PASSWORD = env("DJANGO_SUPERUSER_PASSWORD", None)
SUPERUSER_EMAIL = env("DJANGO_SUPERUSER_EMAIL", None)
AUTHENTICATION_BACKENDS = ["accounts.backends.NameOrEmailBackend"]
PASSWORD_HASHERS = [
    "accounts.hashers.BoundedArgon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"

SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=env("ACCESS_TOKEN_LIFETIME", 5, environment.whole(1, 1440))),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=env("REFRESH_TOKEN_LIFETIME", 1, environment.whole(1, 365))),
    "SIGNING_KEY": JWT_SIGNING_KEY,
}

# --- The API ---------------------------------------------------------------------------------

API_VERSION = "1.0.0"  # in the document, and in the header API-Version of every answer

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["productbackend.api.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": [
        "productbackend.api.renderers.JSONRenderer",
        "productbackend.api.renderers.BrowsableRenderer",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "productbackend.api.renderers.Negotiation",
    "DEFAULT_PAGINATION_CLASS": "productbackend.api.pagination.KeysetPagination",
    "DEFAULT_FILTER_BACKENDS": ["productbackend.api.filters.FilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "productbackend.api.schema.Schema",
    "DEFAULT_THROTTLE_RATES": {
        "register": env("THROTTLE_REGISTER", "30/hour", environment.rate),
        "token": env("THROTTLE_TOKEN", "30/min", environment.rate),
        "password-reset": env("THROTTLE_PASSWORD_RESET", "10/hour", environment.rate),
        "email-change": env("THROTTLE_EMAIL_CHANGE", "10/hour", environment.rate),
    },
    "DEFAULT_METADATA_CLASS": "productbackend.api.metadata.Metadata",
    "EXCEPTION_HANDLER": "productbackend.api.problems.exception_handler",
    "NON_FIELD_ERRORS_KEY": "null",
    "DATETIME_FORMAT": "iso-8601",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    # Behind our own proxy its address is the last of X-Forwarded-For; without one the header is not looked at.
    "NUM_PROXIES": NUM_PROXIES,
}

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
        "OrderStatus": "orders.models.Order.Status",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "productbackend.api.document.complete",
    ],
}

# --- Uploads and files -----------------------------------------------------------------------

JSON_MAX_BYTES = 1_000_000
DATA_UPLOAD_MAX_MEMORY_SIZE = JSON_MAX_BYTES
IMAGE_MAX_BYTES = env("IMAGE_MAX_BYTES", 20_000_000, environment.whole(1, 1_000_000_000))
IMAGE_MAX_PIXELS = env("IMAGE_MAX_PIXELS", 50_000_000, environment.whole(1, 1_000_000_000))
IMAGE_FORMATS = env("IMAGE_FORMATS", ["WEBP"], environment.image_formats)
# The renditions of every image: name -> the box of pixels that it fits in, and the formats in which it
# is made beside the picture's own. After a change: `manage.py rebuild_images`.
IMAGE_RENDITIONS: dict[str, Any] = {
    name: {"formats": IMAGE_FORMATS} | wanted
    for name, wanted in env(
        "IMAGE_RENDITIONS", {"full": {"box": (500, 500)}, "thumb": {"box": (100, 100)}}, environment.renditions
    ).items()
}

# Where renditions are read: a host before /media/ or before their bucket, or the service itself.
MEDIA_URL = f"{env('MEDIA_URL', '/media', environment.url)}/"
MEDIA_ROOT = DATA_DIR / "media"
MEDIA_CACHE_CONTROL = "public, max-age=31536000, immutable"  # a rendition's name changes when its content does
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_ROOT = BASE_DIR / "productbackend" / "root"  # what browsers ask for by a fixed name

# The files of pictures: in two buckets of an S3 server where they are named, else below MEDIA_ROOT.
S3_ORIGINALS_BUCKET = env("S3_ORIGINALS_BUCKET", None)
S3_RENDITIONS_BUCKET = env("S3_RENDITIONS_BUCKET", None)
S3_ACCESS_KEY_ID = env("S3_ACCESS_KEY_ID", None)
S3_SECRET_ACCESS_KEY = env("S3_SECRET_ACCESS_KEY", None)
ORIGINALS: dict[str, Any]
RENDITIONS: dict[str, Any]
if environment.buckets(
    S3_ORIGINALS_BUCKET=S3_ORIGINALS_BUCKET,
    S3_RENDITIONS_BUCKET=S3_RENDITIONS_BUCKET,
    S3_ACCESS_KEY_ID=S3_ACCESS_KEY_ID,
    S3_SECRET_ACCESS_KEY=S3_SECRET_ACCESS_KEY,
):
    SERVER = {
        "endpoint_url": env("S3_ENDPOINT_URL", None, environment.url),
        "region_name": env("S3_REGION", "us-east-1"),
        "access_key": S3_ACCESS_KEY_ID,
        "secret_key": S3_SECRET_ACCESS_KEY,
    }
    KEPT = {"object_parameters": {"CacheControl": MEDIA_CACHE_CONTROL}}
    BUCKET = "productbackend.bucket.Bucket"
    ORIGINALS = {"BACKEND": BUCKET, "OPTIONS": {"bucket_name": S3_ORIGINALS_BUCKET, **SERVER}}
    RENDITIONS = {"BACKEND": BUCKET, "OPTIONS": {"bucket_name": S3_RENDITIONS_BUCKET, **SERVER, **KEPT}}
else:
    ORIGINALS = {"BACKEND": "productbackend.storage.Folder", "OPTIONS": {"durable": True}}
    RENDITIONS = {"BACKEND": "productbackend.storage.Folder"}
STORAGES = {
    "default": RENDITIONS,
    "originals": ORIGINALS,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Mail ------------------------------------------------------------------------------------

EMAIL_HOST = env("EMAIL_HOST", "")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
EMAIL_PORT = env("EMAIL_PORT", 25, environment.port)
EMAIL_HOST_USER = env("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env("EMAIL_USE_TLS", False, environment.boolean)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", "shop@localhost")
# How many mails all workers together take up in a minute; no limit where unset or 0.
MAIL_PER_MINUTE = env("MAIL_PER_MINUTE", 0, environment.whole(0, 1_000_000))
# Pages of the shop's own front end for the links in mails; without them they lead to ours.
EMAIL_CONFIRM_URL = env("EMAIL_CONFIRM_URL", None, environment.url)
PASSWORD_RESET_URL = env("PASSWORD_RESET_URL", None, environment.url)

# --- Time, language, logs --------------------------------------------------------------------

TIME_ZONE = "UTC"  # the API speaks UTC; people see the shop's time in the admin and in mails
USE_TZ = True
LANGUAGE_CODE = "en"
USE_I18N = False

# Lines for machines or for people; where unset, for people with DEBUG and under `make run`.
LOG_FORMAT = env("LOG_FORMAT", None, environment.one_of("json", "text"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "productbackend.logs.JSONFormatter"},
        "text": {"()": "productbackend.logs.TextFormatter"},
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT or ("text" if DEBUG else "json")},
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    # Also for Gunicorn and Celery, which else would have handlers of their own.
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # Each request has a line, by productbackend.access: of these only what went wrong, with its traceback.
        "django.request": {"level": "ERROR"},
        "django.server": {"handlers": [], "level": "ERROR", "propagate": True},
        "gunicorn.error": {"handlers": [], "level": "INFO", "propagate": True},
        # The sweeps run twice a minute: one line for each task is enough.
        "celery.beat": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "multiprocessing": {"handlers": [], "level": "ERROR", "propagate": True},
    },
}

# --- Metrics ---------------------------------------------------------------------------------

# Where the processes of one machine or container count, each in a file of its own: quick, and for no other's eyes.
METRICS_DIR = env("METRICS_DIR", None, Path) or DATA_DIR / "metrics"
# Where a worker answers for itself. Without it web's /metrics has what workers count in the same METRICS_DIR.
METRICS_PORT = env("METRICS_PORT", None, environment.port)
# Who may read /metrics, if no proxy asks for them.
METRICS_FROM = env("METRICS_FROM", environment.networks("private"), environment.networks)

# --- Safety ----------------------------------------------------------------------------------

# A shop whose address is https:// is never used over plain http: nginx, or what stands before it, has the certificate.
HTTPS = SITE_URL.startswith("https://")
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = ["^health/"]  # those who ask stand beside the service
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
# The header is the proxy's own word where there is one, and anybody's where there is none.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if NUM_PROXIES else None
# HSTS is not ours to decide for other hosts below the shop's (W005), nor for the browsers' lists (W021);
# and a shop on plain http has none, no redirect and no secure cookies (W004, W008, W012, W016).
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
if not HTTPS:
    SILENCED_SYSTEM_CHECKS += ["security.W004", "security.W008", "security.W012", "security.W016"]
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = env("CSRF_TRUSTED_ORIGINS", [], environment.names)
