"""The settings. Every environment variable is read here; `.env.sample` describes each. See also fixed_settings.py."""

import hashlib
import hmac
from datetime import timedelta
from pathlib import Path
from typing import Any

from productbackend import environment, fixed_settings
from productbackend.environment import Environment
from productbackend.fixed_settings import *  # noqa: F403

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment(environment.PATH)

# --- The service ---------------------------------------------------------------------------

SECRET_KEY = env("SECRET_KEY", cast=environment.secret)
# Former keys, whose sessions, links and tokens stay valid: for a rotation of keys that signs nobody out.
SECRET_KEY_FALLBACKS = env("SECRET_KEY_FALLBACKS", [], environment.secrets)
# A separate key for tokens, so that its rotation does not end sessions; derived from SECRET_KEY if unset.
JWT_SIGNING_KEY = env("JWT_SIGNING_KEY", None, environment.secret)
JWT_SIGNING_KEY_FALLBACKS = env("JWT_SIGNING_KEY_FALLBACKS", [], environment.secrets)
if JWT_SIGNING_KEY is None:
    JWT_SIGNING_KEY, *derived = [
        hmac.new(key.encode(), b"productbackend.jwt", hashlib.sha256).hexdigest()
        for key in (SECRET_KEY, *SECRET_KEY_FALLBACKS)
    ]
    JWT_SIGNING_KEY_FALLBACKS = [*derived, *JWT_SIGNING_KEY_FALLBACKS]
DEBUG = env("DEBUG", False, environment.boolean)
ALLOWED_HOSTS = env("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"], environment.comma_separated)
SHOP_NAME = env("SHOP_NAME", "Product Backend")
SHOP_TIME_ZONE = env("TIME_ZONE", "UTC", environment.time_zone)
CURRENCY = env("CURRENCY", "EUR", environment.currency)
# Whose tax applies to a cart without an address; and whether prices are with tax.
SHOP_COUNTRY = env("SHOP_COUNTRY", "", environment.country)
PRICES_INCLUDE_TAX = env("PRICES_INCLUDE_TAX", True, environment.boolean)
LOW_STOCK = env("LOW_STOCK", 5, environment.integer(0, 1_000_000))
SEARCH_LANGUAGE = env("SEARCH_LANGUAGE", "english", environment.search_language)
HOST = env("HOST", "127.0.0.1", environment.host)
PORT = env("PORT", 8000, environment.port)
RELOAD = env("RELOAD", False, environment.boolean)
NUM_PROXIES = env("NUM_PROXIES", 0, environment.integer(0, 9))
SITE_URL = env("SITE_URL", f"http://127.0.0.1:{PORT}", environment.url)  # the base of links in mails
# The page of a product in the shop's front end. If unset, there is no sitemap and no feed.
SHOP_PRODUCT_URL = env("SHOP_PRODUCT_URL", None, environment.product_url)
# The data of this machine: the embedded database, cache and queue, and the pictures.
DATA_DIR = BASE_DIR / env("DATA_DIR", "var", Path)
# The heartbeat file of a worker and of beat.
ALIVE_FILE = env("ALIVE_FILE", None, Path)

# --- The database: MySQL if MYSQL_HOST is set, else SQLite -----------------------------------

MYSQL_HOST = env("MYSQL_HOST", None, environment.host)
DATABASE: dict[str, Any]
if MYSQL_HOST:
    environment.require("MySQLdb", "MYSQL_HOST is set: `make mysql` first, or install requirements-mysql.txt.")
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
            # Invalid data is an error and not a truncation, whatever the server's own mode. A list is read from
            # one index in its order; an intersection of two indexes would have to be sorted. For several values
            # the optimizer uses statistics: an index dive for each category of a subtree takes longer than reading
            # the page.
            "init_command": "SET sql_mode='STRICT_TRANS_TABLES,ONLY_FULL_GROUP_BY,ERROR_FOR_DIVISION_BY_ZERO', "
            "optimizer_switch='index_merge_intersection=off', eq_range_index_dive_limit=2, "
            # A request that waits longer for a row lock is a 503; the server's default is 50 seconds.
            "innodb_lock_wait_timeout=5",
        },
        "TEST": {"CHARSET": "utf8mb4"},
    }
else:
    DATABASE = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "db.sqlite3",
        # Together these prevent "database is locked": writers queue at BEGIN instead of failing midway.
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON;",
        },
        # Also a file: threads that share an in-memory database are not isolated as processes are.
        "TEST": {"NAME": DATA_DIR / "test.sqlite3"},
    }
DATABASES = {"default": DATABASE | {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}}

# A replica from which the catalogue is read while it is caught up; see productbackend/database/replica.py.
MYSQL_REPLICA_HOST = env("MYSQL_REPLICA_HOST", None, environment.host)
if MYSQL_HOST and MYSQL_REPLICA_HOST:
    DATABASES["replica"] = DATABASE | {
        "HOST": MYSQL_REPLICA_HOST,
        "PORT": env("MYSQL_REPLICA_PORT", DATABASE["PORT"], environment.port),
        "USER": env("MYSQL_REPLICA_USER", DATABASE["USER"]),
        "PASSWORD": env("MYSQL_REPLICA_PASSWORD", DATABASE["PASSWORD"]),
        # Short timeouts, so that after a replica that hangs the primary can still respond in time.
        "OPTIONS": DATABASE["OPTIONS"] | {"connect_timeout": 1, "read_timeout": 5},
        "CONN_MAX_AGE": 60,  # without health checks: each read queries its GTIDs first
        "TEST": {"MIRROR": "default"},
    }
    DATABASE_ROUTERS = ["productbackend.database.replica.Router"]

# --- Cache and queue: Redis if REDIS_HOST is set, else files that the processes share ---------

REDIS_HOST = env("REDIS_HOST", None, environment.host)
BROKER_DIR = DATA_DIR / "broker"
BROKER_OPTIONS: dict[str, Any]
BROKER_PUBLISH_OPTIONS: dict[str, Any] = {}  # the options of publishers that differ from the workers'
if REDIS_HOST:
    REDIS_PORT = env("REDIS_PORT", 6379, environment.port)
    REDIS_PASSWORD = env("REDIS_PASSWORD", "")
    # Two of the server's numbered databases: this one for the queue, the next one for the cache.
    REDIS_DATABASE = env("REDIS_DATABASE", 0, environment.integer(0, 99))
    CACHE: dict[str, Any] = {
        "BACKEND": "productbackend.caches.redis_cache.RedisCache",
        "LOCATION": environment.redis_url(REDIS_HOST, REDIS_PORT, REDIS_PASSWORD, REDIS_DATABASE + 1),
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
    # The queue may have its own server, or several whose master the Sentinels know.
    REDIS_BROKER_HOST = env("REDIS_BROKER_HOST", REDIS_HOST, environment.host)
    REDIS_BROKER_PORT = env("REDIS_BROKER_PORT", REDIS_PORT, environment.port)
    REDIS_BROKER_PASSWORD = env("REDIS_BROKER_PASSWORD", REDIS_PASSWORD)
    REDIS_BROKER_SENTINELS = env("REDIS_BROKER_SENTINELS", [], environment.host_ports)
    CELERY_BROKER_URL = ";".join(
        environment.redis_url(host, port, REDIS_BROKER_PASSWORD, REDIS_DATABASE, "sentinel")
        for host, port in REDIS_BROKER_SENTINELS
    ) or environment.redis_url(REDIS_BROKER_HOST, REDIS_BROKER_PORT, REDIS_BROKER_PASSWORD, REDIS_DATABASE)
    BROKER_OPTIONS = {
        # Longer than the longest task: otherwise Redis would deliver it again while it runs.
        "visibility_timeout": 600,
        "unacked_restore_throttle": 1,
        "socket_timeout": 5,  # of a worker, whose read blocks for a second
        "socket_connect_timeout": 1,
    }
    BROKER_PUBLISH_OPTIONS = {"socket_timeout": 1, "max_retries": 0}
    if REDIS_BROKER_SENTINELS:
        BROKER_OPTIONS["master_name"] = REDIS_BROKER_HOST
    # On the queue's server and without a Redis expiry, so that cached pages cannot evict counters.
    COUNTERS: dict[str, Any] = {
        "BACKEND": "productbackend.caches.redis_counters.RedisCounters",
        "LOCATION": environment.redis_url(REDIS_BROKER_HOST, REDIS_BROKER_PORT, REDIS_BROKER_PASSWORD, REDIS_DATABASE),
        "OPTIONS": {"sentinels": REDIS_BROKER_SENTINELS, "master_name": REDIS_BROKER_HOST},
        "KEY_PREFIX": "counters",
    }
else:
    CACHE = {
        "BACKEND": "productbackend.caches.file_cache.FileCache",
        "LOCATION": DATA_DIR / "cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
    COUNTERS = {"BACKEND": "productbackend.caches.file_cache.FileCounters", "LOCATION": DATA_DIR / "counters"}
    CELERY_BROKER_URL = "filesystem://localhost"
    BROKER_OPTIONS = {
        "data_folder_in": str(BROKER_DIR / "queue"),
        "data_folder_out": str(BROKER_DIR / "queue"),
        "control_folder": str(BROKER_DIR / "control"),
        "polling_interval": 0.1,
    }
# "counters" has the counters of throttles and MAIL_PER_MINUTE: numbers, which are never evicted before they expire.
CACHES = {"default": CACHE, "counters": COUNTERS}

CELERY_BROKER_TRANSPORT_OPTIONS = BROKER_OPTIONS
# With the file broker remote control would add a listing of the folder to every poll of each worker.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = bool(REDIS_HOST)
CELERY_TIMEZONE = SHOP_TIME_ZONE
# --- Accounts --------------------------------------------------------------------------------

# Whether checkout requires a verified e-mail address.
REQUIRE_VERIFIED_EMAIL = env("REQUIRE_VERIFIED_EMAIL", False, environment.boolean)
# Whether customers without an account have carts and can check out, and the days until their unused carts are deleted.
GUEST_CHECKOUT = env("GUEST_CHECKOUT", False, environment.boolean)
GUEST_CART_DAYS = env("GUEST_CART_DAYS", 30, environment.integer(1, 3650))
# How long orders keep who the customer was.
KEEP_ORDERS_YEARS = env("KEEP_ORDERS_YEARS", 10, environment.integer(1, 100))
# The second factor of staff in the admin: not asked for, asked for if it is set up, or required.
STAFF_TWO_FACTOR = env("STAFF_TWO_FACTOR", "optional", environment.one_of("off", "optional", "required"))
OTP_TOTP_ISSUER = SHOP_NAME  # what an authenticator app calls the account
# The superuser that `make run` creates on its first start. If no password is set, one is generated and shown once.
SUPERUSER_USERNAME = env("DJANGO_SUPERUSER_USERNAME", "admin")
SUPERUSER_PASSWORD = env("DJANGO_SUPERUSER_PASSWORD", None)
SUPERUSER_EMAIL = env("DJANGO_SUPERUSER_EMAIL", None)
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=env("ACCESS_TOKEN_LIFETIME", 5, environment.integer(1, 1440))),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=env("REFRESH_TOKEN_LIFETIME", 1, environment.integer(1, 365))),
    "SIGNING_KEY": JWT_SIGNING_KEY,
    "AUTH_TOKEN_CLASSES": ("accounts.keys.Access",),
}
# Days after which a sign-in ends, however often its tokens were renewed.
REFRESH_ABSOLUTE_LIFETIME = env("REFRESH_ABSOLUTE_LIFETIME", 30, environment.integer(1, 3650))

# --- Payments --------------------------------------------------------------------------------

# How customers can pay; where nobody can, checkout writes paid orders.
PAYMENT_METHODS = env("PAYMENT_METHODS", [], environment.some_of("stripe", "transfer", "test"))
# How long a pending order holds its stock: in minutes, and in days once a bank transfer is chosen.
PAYMENT_HOLD_MINUTES = env("PAYMENT_HOLD_MINUTES", 30, environment.integer(1, 10_080))
TRANSFER_HOLD_DAYS = env("TRANSFER_HOLD_DAYS", 7, environment.integer(1, 90))
# What a customer who pays by bank transfer has to know: the account, and to name the order's number.
TRANSFER_INSTRUCTIONS = env("TRANSFER_INSTRUCTIONS", "")
STRIPE_SECRET_KEY = env("STRIPE_SECRET_KEY", "")
STRIPE_PUBLISHABLE_KEY = env("STRIPE_PUBLISHABLE_KEY", "")
# The secrets with which Stripe signs its events: two while one is replaced by another.
STRIPE_WEBHOOK_SECRETS = env("STRIPE_WEBHOOK_SECRET", [], environment.comma_separated)
STRIPE_API_BASE = env("STRIPE_API_BASE", None, environment.url)
# Where the test provider is reached, by this service and by browsers.
TEST_PROVIDER_URL = env("TEST_PROVIDER_URL", "http://127.0.0.1:8010", environment.url)
environment.check_payment_methods(
    PAYMENT_METHODS,
    currency=CURRENCY,
    site_url=SITE_URL,
    stripe_key=STRIPE_SECRET_KEY,
    stripe_webhook_secrets=STRIPE_WEBHOOK_SECRETS,
)

# --- The API ---------------------------------------------------------------------------------

# The origins whose pages may use the API in a browser. Requests have no cookies: tokens are in headers.
CORS_ALLOWED_ORIGINS = env("CORS_ALLOWED_ORIGINS", [], environment.origins)
CORS_ALLOWED_ORIGIN_REGEXES = [environment.LOCALHOST_ORIGIN] if environment.LOCALHOST in CORS_ALLOWED_ORIGINS else []
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
        "accounts.authentication.GuestAuthentication",
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
    "DEFAULT_SCHEMA_CLASS": "productbackend.api.openapi.schema.Schema",
    "DEFAULT_THROTTLE_RATES": {
        "register": env("THROTTLE_REGISTER", "30/hour", environment.rate),
        "token": env("THROTTLE_TOKEN", "30/min", environment.rate),
        "password-reset": env("THROTTLE_PASSWORD_RESET", "10/hour", environment.rate),
        "catalogue": env("THROTTLE_CATALOGUE", None, environment.rate),
        "email-change": env("THROTTLE_EMAIL_CHANGE", "10/hour", environment.rate),
        "checkout": env("THROTTLE_CHECKOUT", "300/hour", environment.rate),
        "guests": env("THROTTLE_GUESTS", "60/hour", environment.rate),
    },
    "DEFAULT_METADATA_CLASS": "productbackend.api.metadata.Metadata",
    "EXCEPTION_HANDLER": "productbackend.api.problems.exception_handler",
    "NON_FIELD_ERRORS_KEY": "null",
    "DATETIME_FORMAT": "iso-8601",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    # The number of trusted proxies, counted from the end of X-Forwarded-For; if 0 the header is ignored.
    "NUM_PROXIES": NUM_PROXIES,
}

# --- Uploads and files -----------------------------------------------------------------------

# A file of products or of stock; the proxy has it too.
IMPORT_MAX_BYTES = env("IMPORT_MAX_BYTES", 50_000_000, environment.integer(1, 1_000_000_000))
IMAGE_MAX_BYTES = env("IMAGE_MAX_BYTES", 20_000_000, environment.integer(1, 1_000_000_000))
IMAGE_MAX_PIXELS = env("IMAGE_MAX_PIXELS", 50_000_000, environment.integer(1, 1_000_000_000))
IMAGE_FORMATS = env("IMAGE_FORMATS", ["WEBP"], environment.image_formats)
# The renditions of every image: name -> the box in pixels that it fits in, and its formats in addition
# to the picture's own. After a change run `manage.py rebuild_images`.
IMAGE_RENDITIONS: dict[str, Any] = {
    name: {"formats": IMAGE_FORMATS} | wanted
    for name, wanted in env(
        "IMAGE_RENDITIONS",
        {"full": {"box": (500, 500)}, "thumb": {"box": (100, 100)}, "large": {"box": (1200, 1200)}},
        environment.renditions,
    ).items()
}

# The base URL of renditions: a host in front of /media/ or of their bucket, or the service itself.
MEDIA_URL = f"{env('MEDIA_URL', '/media', environment.url)}/"
MEDIA_ROOT = DATA_DIR / "media"
MEDIA_CACHE_CONTROL = "public, max-age=31536000, immutable"  # a rendition's name changes when its content does
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_ALLOW_ALL_ORIGINS = False  # CORS_ALLOWED_ORIGINS is for these files too
WHITENOISE_ROOT = BASE_DIR / "productbackend" / "site" / "root"  # files with fixed names, such as favicon.ico

# The files of images: in two buckets of an S3 server if these are set, else below MEDIA_ROOT.
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
    IMMUTABLE_OBJECT = {"object_parameters": {"CacheControl": MEDIA_CACHE_CONTROL}}
    BUCKET = "productbackend.storages.s3.Bucket"
    ORIGINALS = {"BACKEND": BUCKET, "OPTIONS": {"bucket_name": S3_ORIGINALS_BUCKET, **SERVER}}
    RENDITIONS = {"BACKEND": BUCKET, "OPTIONS": {"bucket_name": S3_RENDITIONS_BUCKET, **SERVER, **IMMUTABLE_OBJECT}}
else:
    ORIGINALS = {"BACKEND": "productbackend.storages.local.AtomicFileSystemStorage", "OPTIONS": {"durable": True}}
    RENDITIONS = {"BACKEND": "productbackend.storages.local.AtomicFileSystemStorage"}
STORAGES = {
    "default": RENDITIONS,
    "originals": ORIGINALS,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Mail ------------------------------------------------------------------------------------

EMAIL_HOST = env("EMAIL_HOST", "", environment.host)
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
EMAIL_PORT = env("EMAIL_PORT", 25, environment.port)
EMAIL_HOST_USER = env("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env("EMAIL_USE_TLS", False, environment.boolean)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", "shop@localhost", environment.sender)
# How many mails all workers together send in a minute; unlimited if unset or 0.
MAIL_PER_MINUTE = env("MAIL_PER_MINUTE", 0, environment.integer(0, 1_000_000))
# Pages of the shop's front end for the links in mails; if unset the links use the service's own pages.
EMAIL_CONFIRM_URL = env("EMAIL_CONFIRM_URL", None, environment.url)
PASSWORD_RESET_URL = env("PASSWORD_RESET_URL", None, environment.url)
# A folder with the shop's own templates of mails, in place of those of the same names.
MAIL_TEMPLATES_DIR = env("MAIL_TEMPLATES_DIR", None, environment.folder)
TEMPLATES = fixed_settings.templates(mails=[MAIL_TEMPLATES_DIR] if MAIL_TEMPLATES_DIR else [])

# --- Logs --------------------------------------------------------------------

# json or text; if unset, text with DEBUG and under `make run`, else json.
LOG_FORMAT = env("LOG_FORMAT", None, environment.one_of("json", "text"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "productbackend.observability.logs.JSONFormatter"},
        "text": {"()": "productbackend.observability.logs.TextFormatter"},
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT or ("text" if DEBUG else "json")},
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    # Also for Gunicorn and Celery, which otherwise install their own handlers.
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # productbackend.access logs each request; these log only errors, with tracebacks.
        "django.request": {"level": "ERROR"},
        "django.server": {"handlers": [], "level": "ERROR", "propagate": True},
        "gunicorn.error": {"handlers": [], "level": "INFO", "propagate": True},
        # The sweeps run twice a minute: one line for each task is enough.
        "celery.beat": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "stripe": {"level": "WARNING"},  # it logs each call, with what the server says
        "multiprocessing": {"handlers": [], "level": "ERROR", "propagate": True},
    },
}

# --- Metrics ---------------------------------------------------------------------------------

# The folder of the counter files of all processes of a machine or container. It should be on a fast, private disk.
METRICS_DIR = env("METRICS_DIR", None, Path) or DATA_DIR / "metrics"
# The port at which a worker serves its metrics. If unset, web's /metrics includes the workers' in the same METRICS_DIR.
METRICS_PORT = env("METRICS_PORT", None, environment.port)
# The networks that may read /metrics, without a proxy.
METRICS_FROM = env("METRICS_FROM", environment.networks("private"), environment.networks)

# --- Safety ----------------------------------------------------------------------------------

# With an https:// SITE_URL plain http is redirected: nginx, or a proxy in front of it, has the certificate.
HTTPS = SITE_URL.startswith("https://")
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = ["^health/"]  # probes come from the internal network
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
# The header is trusted only behind a proxy: without one, clients could set it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if NUM_PROXIES else None
# HSTS for subdomains (W005) and preload lists (W021) are the operator's decision; a shop on plain http has no HSTS,
# no redirect and no secure cookies (W004, W008, W012, W016).
# productbackend.E001, E002 and E003 replace Django's checks of DEBUG, SECRET_KEY and ALLOWED_HOSTS (W018, W009, W020).
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021", "security.W009", "security.W018", "security.W020"]
if not HTTPS:
    SILENCED_SYSTEM_CHECKS += ["security.W004", "security.W008", "security.W012", "security.W016"]
CSRF_TRUSTED_ORIGINS = env("CSRF_TRUSTED_ORIGINS", [], environment.comma_separated)
