"""Finds what code does outside of the database: an effect there is not undone by a rollback.

It reads the syntax tree of a module for calls and imports that make one. A kind is the heading in docs/effects.md.
"""

import ast
import re

WRITES = re.compile("[waxr]?[wax+]")  # modes of a file that is written
CALLS = {
    "Messages": re.compile(r".*\.(send_task|apply_async|delay|retry|control\.\w+)|(\w+\.)*dispatch(_task)?"),
    "Mail": re.compile(r"((.*\.)?mail\.)?(get_connection|send_mail|mail_admins)|.*\.send_messages"),
    "Other servers": re.compile(
        r"(.*\.)?(urlopen|build_opener|HTTPS?Connection|StripeClient|create_connection|put_object)"
        r"|requests\.(get|post|put|patch|delete|request)|(.*\.)?(calling|list_since)"
    ),
    "Files": re.compile(
        r"(.*storage\w*(\(.*\)|\[.*\])?)\.(save|delete)|files\.(save|write\w*|remove)"
        r"|os\.(replace|rename|remove|unlink|mkdir|makedirs|rmdir|truncate|fsync)|shutil\.(copy\w*|move|rmtree)"
        r"|(?!.*_client).*\.(write_text|write_bytes|unlink|rename|touch|mkdir|rmdir|symlink_to|hardlink_to)"
        r"|(tempfile\.)?\w*Temporary\w+|(tempfile\.)?mkd?s?temp|put_object"
    ),
    "Cache": re.compile(
        r"(.*\.)?(caches?|counters|locks)(\[.*\])?\.(a?set|a?add|a?delete\w*|set_many|incr|decr|touch|clear|count|get_or_set)"
        r"|(self\._client|client|.*redis\w*)\.(set|eval\w*|unlink|delete|register_script)"
    ),
    "Processes": re.compile(
        r"subprocess\.\w+|os\.(fork|killpg|exec\w+|spawn\w+|system)|(multiprocessing\.)?Process(PoolExecutor)?"
    ),
}
IMPORTS = {
    "Mail": {"smtplib"},
    "Other servers": {"requests", "urllib.request", "http.client", "stripe", "boto3", "botocore.config"},
    "Processes": {"subprocess"},
}


def kinds(source: str) -> set[str]:
    """The kinds of effects that the module makes."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            found |= {kind for kind, calls in CALLS.items() if calls.fullmatch(called)}
            found |= {"Files"} if _writes_a_file(node, called) else set()
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = {node.module} if isinstance(node, ast.ImportFrom) else {alias.name for alias in node.names}
            found |= {kind for kind, modules in IMPORTS.items() if names & modules}
    return found


def _writes_a_file(call: ast.Call, called: str) -> bool:
    """Whether it is `open(path, "w")`, `path.open("w")` or another mode that writes, or opens a SQLite file."""
    if called == "sqlite3.connect":
        return ast.unparse(call.args[0]) != "':memory:'"
    if called.rpartition(".")[2] not in ("open", "fdopen"):
        return False
    modes = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    texts = [mode.value for mode in modes if isinstance(mode, ast.Constant) and isinstance(mode.value, str)]
    return any(WRITES.fullmatch(text.replace("b", "").replace("t", "")) for text in texts)
