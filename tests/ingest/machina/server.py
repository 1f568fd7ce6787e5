"""A real forum (django-machina on SQLite) as a program of its own: ``server.py DIRECTORY``.

Prints its address, then reads lines ``{"subject": …, "text": …}`` and answers each, a topic started, with ``ok``.
"""

import json
import sys
import threading
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from django.conf import settings
from machina import MACHINA_MAIN_TEMPLATE_DIR

MACHINA = (
    "forum", "forum_conversation", "forum_conversation.forum_attachments",
    "forum_conversation.forum_polls", "forum_feeds", "forum_moderation", "forum_search",
    "forum_tracking", "forum_member", "forum_permission",
)  # fmt: skip


def configure(home: Path) -> None:
    settings.configure(
        SECRET_KEY="only-for-tests",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="machina.urls",
        USE_TZ=True,
        TIME_ZONE="Asia/Shanghai",
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(home / "forum.db")}
        },
        CACHES={
            name: {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
            for name in ("default", "machina_attachments")
        },
        HAYSTACK_CONNECTIONS={"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}},
        INSTALLED_APPS=[
            "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
            "django.contrib.messages", "mptt", "haystack", "widget_tweaks", "machina",
            *(f"machina.apps.{name}" for name in MACHINA),
        ],
        MIDDLEWARE=[
            "django.middleware.http.ConditionalGetMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "machina.apps.forum_permission.middleware.ForumPermissionMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "DIRS": [MACHINA_MAIN_TEMPLATE_DIR],
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": ["machina.core.context_processors.metadata"],
                },
            }
        ],
    )  # fmt: skip
    django.setup()


def board() -> object:
    """One board that guests may see and read."""
    from machina.core.db.models import get_model

    forum = get_model("forum", "Forum").objects.create(name="市民留言", type=0)
    permissions = get_model("forum_permission", "ForumPermission")
    grants = get_model("forum_permission", "UserForumPermission")
    for codename in ("can_see_forum", "can_read_forum"):
        grants.objects.create(
            permission=permissions.objects.get(codename=codename),
            forum=forum,
            anonymous_user=True,
            has_perm=True,
        )
    return forum


def topic(forum: object, subject: str, text: str) -> None:
    from machina.core.db.models import get_model

    made = get_model("forum_conversation", "Topic").objects.create(
        forum=forum, subject=subject, type=0, status=0, approved=True
    )
    get_model("forum_conversation", "Post").objects.create(
        topic=made, subject=subject, content=text, username="citizen", approved=True
    )


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


def main() -> None:
    configure(Path(sys.argv[1]))
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    call_command("migrate", verbosity=0)
    forum = board()
    server: WSGIServer = make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}/feeds/topics/", flush=True)
    for line in sys.stdin:
        topic(forum, **json.loads(line))
        print("ok", flush=True)
    server.shutdown()


if __name__ == "__main__":
    main()
