"""Every setting of oversight, read from the environment by the typed readers of `env`.

With nothing set, all parts run embedded on this machine with secrets generated into `var/`. With
`OVERSIGHT_ENV=production` unsafe or missing settings refuse to start (`oversight/web/checks.py`).
"""

import socket
from datetime import timedelta
from pathlib import Path

from django.conf.locale import LANG_INFO
from whitenoise.compress import Compressor

from oversight import env
from oversight.embedded import postgres, secrets
from oversight.embedded.remembered import remembered
from oversight.sweeps import SWEEPS
from oversight.web import catalogues

BASE_DIR = Path(__file__).resolve().parent.parent
OVERSIGHT_ENV = env.choice(
    "OVERSIGHT_ENV", "development", frozenset({"development", "test", "production"})
)
PRODUCTION = OVERSIGHT_ENV == "production"
OVERSIGHT_VAR = env.folder("OVERSIGHT_VAR", BASE_DIR / "var")

# -- Who and where ---------------------------------------------------------------------------

PORT = env.integer("PORT", 8000, low=1, high=65535)
PUBLIC_URL = env.web_address("PUBLIC_URL", f"http://localhost:{PORT}")
SITE_NAME = env.text("SITE_NAME", "Example Public AI Council")
SITE_NOTICE = env.text("SITE_NOTICE")
# Where the public finds the program that runs here, if it is published.
SOURCE_URL = env.web_page("SOURCE_URL")
PUBLIC_HOST = PUBLIC_URL.split("://", 1)[1]
TIME_ZONE = env.text("TIME_ZONE", "Europe/Zurich")
USE_TZ = True
# Of the public lists, as SPDX names it.
DATA_LICENCE = env.choice("DATA_LICENCE", "CC0-1.0", frozenset({"CC0-1.0", "CC-BY-4.0"}))
LANGUAGE_CODE = "en"
USE_I18N = True
# Made by machine and not read by people yet: their pages say so.
LANGUAGES_NOT_REVIEWED = ["fr", "de"]
# The texts are in the repository; what gettext reads is made of them when a process starts.
CATALOGUES_DIR, COMPILED_CATALOGUES_DIR = BASE_DIR / "locale", OVERSIGHT_VAR / "locale"
# A page half in one language and half in another helps nobody: unless somebody says which languages
# to offer, those are that have all their texts.
_ASKED_FOR = env.words("SITE_LANGUAGES")
LANGUAGES = [("en", "English")] + [
    (code, name)
    for code, name in (("fr", "Français"), ("de", "Deutsch"))
    if (code in _ASKED_FOR if _ASKED_FOR else catalogues.says_complete(CATALOGUES_DIR, code))
]
LOCALE_PATHS = [COMPILED_CATALOGUES_DIR]
# For tests of layout: English with accents, in brackets, written from right to left.
if PSEUDO_LANGUAGE := env.boolean("PSEUDO_LANGUAGE"):
    LANGUAGES.append(("ar-xb", "[Pšéûðö]"))

# What people write has its own language, which its writer says: `TEXT_LANGUAGES=it,rm` adds two.
TEXT_LANGUAGES = [
    (code, name[:1].upper() + name[1:] if name != code else code)
    for code in dict.fromkeys(["en", "fr", "de", *env.languages("TEXT_LANGUAGES")])
    for name in [str(LANG_INFO.get(code.lower(), {}).get("name_local", code))]
]

# -- Secrets ---------------------------------------------------------------------------------

DEBUG = env.boolean("DEBUG")
SECRET_KEY = env.text("SECRET_KEY") or (
    "" if PRODUCTION else secrets.read_or_create(OVERSIGHT_VAR, "django-secret-key")
)
if not SECRET_KEY:
    raise env.ConfigurationError("SECRET_KEY must be set in production: 50 random characters.")
ALLOWED_HOSTS = env.words(
    "ALLOWED_HOSTS",
    (PUBLIC_HOST.split(":")[0],)
    if PRODUCTION
    else ("localhost", "127.0.0.1", "[::1]", "testserver", socket.gethostname()),
)

# -- Parts -----------------------------------------------------------------------------------

_embedded = {} if env.text("DATABASE_URL") else postgres.embedded_urls(OVERSIGHT_VAR)
DATABASE_IS_EMBEDDED = bool(_embedded)
DATABASES = {
    "default": env.database("DATABASE_URL", _embedded.get("DATABASE_URL", ""))
    | {
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "TEST": {"NAME": env.text("TEST_DATABASE_NAME", "oversight_test")},
    }
}
DATABASES["default"]["OPTIONS"] = {
    "connect_timeout": 5,
    "application_name": "oversight",
    **DATABASES["default"]["OPTIONS"],  # type: ignore[dict-item]
}
# The few statements of `oversight.web.prepared` are; a pooler of transactions may not know how.
if env.boolean("DATABASE_PREPARES", default=True):
    DATABASES["default"]["OPTIONS"]["prepare_threshold"] = 0  # type: ignore[index]
# Answers the gate while the database above is down; nothing else reads it, nothing writes to it.
if env.text("GATE_REPLICA_URL"):
    DATABASES["replica"] = env.database("GATE_REPLICA_URL", "") | {
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "TEST": {"MIRROR": "default"},
    }
    DATABASES["replica"]["OPTIONS"] = {
        "connect_timeout": 2,
        "application_name": "oversight gate",
        "options": "-c default_transaction_read_only=on",
        **DATABASES["replica"]["OPTIONS"],  # type: ignore[dict-item]
    }
GATE_REPLICA_MAX_AGE_SECONDS = env.integer(
    "GATE_REPLICA_MAX_AGE_SECONDS", 3600, low=1, high=604_800
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
BROKER_URL = env.text("BROKER_URL", _embedded.get("BROKER_URL", ""))
BROKER_IS_EMBEDDED = not env.text("BROKER_URL") and DATABASE_IS_EMBEDDED

CELERY_BROKER_URL = BROKER_URL
CELERY_BEAT_SCHEDULE = SWEEPS

ARTEFACTS_DIR = env.folder("ARTEFACTS_DIR", OVERSIGHT_VAR / "artefacts")
# A bucket that several web hosts share; each keeps what it reads in the folder above.
ARTEFACTS_BUCKET = env.bucket("ARTEFACTS_URL")
MODELS_DIR = OVERSIGHT_VAR / "models"
LEDGER_ORIGIN = env.text("LEDGER_ORIGIN") or (
    f"{PUBLIC_HOST}/log"
    if PRODUCTION
    else remembered(OVERSIGHT_VAR / "ledger" / "origin", f"{PUBLIC_HOST}/log")
)
LEDGER_KEY_PATH = env.folder("LEDGER_KEY_PATH", OVERSIGHT_VAR / "ledger" / "log-key.pem")
LEDGER_SIGNER_STATE_PATH = env.folder(
    "LEDGER_SIGNER_STATE_PATH", OVERSIGHT_VAR / "ledger" / "signer.json"
)
# The private key itself (PEM) or a device's name for it, instead of the file above.
LEDGER_KEY = env.text("LEDGER_KEY")
LEDGER_KEY_PKCS11 = env.text("LEDGER_KEY_PKCS11")
LEDGER_KEY_PIN = env.text("LEDGER_KEY_PIN")
# The record as files, for mirrors and plain web servers; and the witnesses that it is shown to.
LEDGER_PUBLIC_DIR = env.folder("LEDGER_PUBLIC_DIR", OVERSIGHT_VAR / "ledger" / "public")
LEDGER_POLICY_PATH = env.optional_file("LEDGER_POLICY_PATH")
# Who stamps checkpoints with its own clock (RFC 3161), and the roots that its certificate leads to.
LEDGER_TSA_URL = env.text("LEDGER_TSA_URL")
LEDGER_TSA_ROOTS = env.optional_file("LEDGER_TSA_ROOTS")
LEDGER_TSA_EVERY_SECONDS = env.integer("LEDGER_TSA_EVERY_SECONDS", 3600, low=1, high=31_536_000)
if LEDGER_TSA_URL and LEDGER_TSA_ROOTS is None:
    raise env.ConfigurationError(
        "LEDGER_TSA_URL also takes LEDGER_TSA_ROOTS, a file of certificates."
    )
RECEIPT_WAIT_SECONDS = 2.0

# The gate's own key, which the log vouches for: a file, or the key itself (PEM).
GATE_KEY_PATH = env.folder("GATE_KEY_PATH", OVERSIGHT_VAR / "gate" / "gate-key.pem")
GATE_KEY = env.text("GATE_KEY")
# How long a yes may be kept by who asked: a revocation takes effect within that time.
GATE_LIFETIME_SECONDS = env.integer("GATE_LIFETIME_SECONDS", 30, low=2, high=600)

LEASE_SECONDS = env.integer("LEASE_SECONDS", 30, low=2, high=3600)
HEARTBEAT_SECONDS = env.integer("HEARTBEAT_SECONDS", 2, low=1, high=600)
MAX_ATTEMPTS = env.integer("MAX_ATTEMPTS", 3, low=1, high=20)

# What one address may send without an account: reports of incidents, and additions to them.
INCIDENT_REPORTS_PER_DAY = env.integer("INCIDENT_REPORTS_PER_DAY", 20, low=1, high=10**6)
# Hosts (`host` or `host:port`) that webhooks may reach though they are not public, also by http.
WEBHOOK_ALLOW_HOSTS = frozenset(each.lower() for each in env.words("WEBHOOK_ALLOW_HOSTS"))
# The most that an address takes in one request, by what it begins with; others have their own.
BODY_LIMITS = {
    "/incidents/": 7_000_000,
    "/api/v1/incidents/": 7_000_000,
    # A file of ballots and the fields beside it.
    "/count/": 3_000_000,
}

# -- Applications ----------------------------------------------------------------------------

INSTALLED_APPS = [
    "oversight.web",
    "oversight.embedded",
    "oversight.ledger",
    "oversight.accounts",
    "oversight.registry",
    "evals",
    "proposals",
    "oversight.incidents",
    "oversight.dashboards",
    "oversight.snapshots",
    "oversight.webhooks",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "template_partials",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Pages only; it pads each answer at random, and tokens are masked, against BREACH.
    "django.middleware.gzip.GZipMiddleware",
    # Before what sets cookies, and after what compresses: it tags the answer as it is.
    "oversight.web.freshness.FreshnessMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "oversight.web.languages.LanguageMiddleware",
    "oversight.web.middleware.AddressMiddleware",
    # Before anything reads the body: looking for the token in a form reads all of it.
    "oversight.web.middleware.BodyLimitMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Pages are private unless a view is marked public by name.
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "oversight.web.middleware.PlainAddressMiddleware",
    "oversight.web.middleware.RefusalMiddleware",
    "oversight.web.throttling.RateHeadersMiddleware",
    "oversight.web.deprecation.DeprecationMiddleware",
    # Innermost: it keeps what a view answered, and answers in its place.
    "oversight.accounts.idempotency.IdempotencyMiddleware",
]
ROOT_URLCONF = "oversight.urls"
WSGI_APPLICATION = "oversight.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "oversight.dashboards.context.site",
            ],
        },
    },
]
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = OVERSIGHT_VAR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "oversight.web.static_files.StaticFiles"
        if OVERSIGHT_ENV != "test"
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = OVERSIGHT_ENV == "test"
WHITENOISE_KEEP_ONLY_HASHED_FILES = False
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")
"""Nobody but a debugger asks for maps of sources, and they are half of what could be compressed."""

# -- People ----------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.Person"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    )
]
PASSWORD_HASHERS = (
    ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if OVERSIGHT_ENV == "test"
    else [
        "django.contrib.auth.hashers.ScryptPasswordHasher",
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    ]
)
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "my-work"
ACCOUNT_ADAPTER = "oversight.accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_SIGNUP_FORM_CLASS = "oversight.accounts.forms.SignupForm"
ACCOUNT_FORMS = {
    "login": "oversight.accounts.signing_in.LoginForm",
    "reauthenticate": "oversight.accounts.signing_in.ReauthenticateForm",
}
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_SUBJECT_PREFIX = f"{SITE_NAME}: "
ACCOUNT_DEFAULT_HTTP_PROTOCOL = PUBLIC_URL.split(":", 1)[0]
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = False
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = SITE_NAME
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION
if OVERSIGHT_ENV == "test":
    ACCOUNT_RATE_LIMITS: dict[str, str] | bool = False

_mail = env.mail("EMAIL_URL", "file:" if not PRODUCTION else "", start_tls=PRODUCTION)
EMAIL_BACKEND = f"django.core.mail.backends.{_mail.backend}.EmailBackend"
EMAIL_FILE_PATH = OVERSIGHT_VAR / "mail"
EMAIL_TIMEOUT = 20
EMAIL_HOST, EMAIL_PORT = _mail.host, _mail.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.user, _mail.password
EMAIL_USE_SSL, EMAIL_USE_TLS = _mail.is_encrypted, _mail.starts_tls
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "oversight@localhost")

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    },
    # Reports as PDF, by the digest of their content: all processes of a host share them.
    "reports": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": OVERSIGHT_VAR / "reports",
        "TIMEOUT": None,
        "OPTIONS": {"MAX_ENTRIES": 1_000},
    },
    # Charts, by the digest of what they show.
    "charts": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": OVERSIGHT_VAR / "charts",
        "TIMEOUT": None,
        "OPTIONS": {"MAX_ENTRIES": 4_000},
    },
}

# -- The network API -------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "oversight.accounts.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    # Closed by default: a public view says so by name.
    "DEFAULT_PERMISSION_CLASSES": ["oversight.accounts.permissions.Closed"],
    "DEFAULT_PAGINATION_CLASS": "oversight.web.pagination.Pages",
    "DEFAULT_FILTER_BACKENDS": ["oversight.web.filters.Filters"],
    # Moments as they are, in UTC: the renderer writes them like those of the record, with a Z.
    "DATETIME_FORMAT": None,
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["oversight.web.json_body.JsonBody"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "oversight.web.negotiation.OneForm",
    "DEFAULT_SCHEMA_CLASS": "oversight.web.api_document.Schema",
    "EXCEPTION_HANDLER": "oversight.web.problems.problem_response",
    "DEFAULT_THROTTLE_CLASSES": ["oversight.web.throttling.ReadsAndWrites"],
    "DEFAULT_THROTTLE_RATES": {
        "read": f"{env.integer('API_READS_PER_MINUTE', 1200, low=1, high=10**6)}/min",
        "write": f"{env.integer('API_WRITES_PER_MINUTE', 120, low=1, high=10**6)}/min",
    },
    # Whom a visitor is counted as. In production the one proxy before us names the address last;
    # elsewhere nobody is believed.
    "NUM_PROXIES": 1 if PRODUCTION else 0,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": f"{SITE_NAME}: public API",
    "DESCRIPTION": "Read everything public; with a key, start runs and take part.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    # Served by this site: no page of ours asks anybody else for anything.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    # Names of operations and tags begin with the noun.
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "oversight.web.api_document.add_refusals",
        "oversight.dashboards.document_examples.add_examples",
    ],
    "ENUM_NAME_OVERRIDES": {
        "TextLanguage": "oversight.web.written.CODES",
        "BodyRole": "oversight.accounts.choices.BodyRole",
        "OrganisationRole": "oversight.accounts.choices.OrganisationRole",
        "RunState": "evals.choices.RunState",
        "AuthorisationState": "oversight.registry.choices.AuthorisationState",
        "DescentKind": "oversight.registry.choices.DescentKind",
        "ResourceClass": "evals.choices.ResourceClass",
        "ProposalStatus": "proposals.choices.Status",
        "NoticeKind": "oversight.accounts.choices.NoticeKind",
        "StatementKind": "proposals.choices.StatementKind",
        "MinutesStatus": "proposals.choices.MinutesStatus",
        "SpokenKind": "proposals.choices.Spoken",
        "ModerationAct": "proposals.choices.Moderated",
        "ProposalType": "proposals.choices.ProposalType",
        "IncidentStatus": "oversight.incidents.choices.Status",
        "WebhookStatus": "oversight.webhooks.choices.Status",
        "WebhookEnding": "oversight.webhooks.choices.Ending",
        "IncidentReviewType": "oversight.incidents.api.handling.REVIEW_TYPES",
    },
}

# -- Safety of pages -------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "manifest-src": ["'self'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "oversight.web.views.csrf_failure"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
if PRODUCTION:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds())
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.text("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "celery.beat": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
    },
}
