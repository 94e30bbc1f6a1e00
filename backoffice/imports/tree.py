"""The categories that the rows of a slice name: found by their paths, and created if they are missing."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError

from backoffice.cells import category_path
from backoffice.imports.columns import Unreadable
from productbackend.errors import InvalidValue
from products import categories
from products.models import Category
from products.naming import sibling_key


class Tree:
    """The category tree as it was read; what `create` adds is known to it."""

    def __init__(self) -> None:
        self.ids = dict(Category.objects.order_by().values_list("sibling_key", "pk"))

    def find(self, names: Sequence[str]) -> int | None:
        """The id of the category with this path; None if it, or one above it, is missing. No names: none."""
        return self._walk(names)[0] if names else None

    def missing(self, names: Sequence[str]) -> str:
        """The path of the first level that is missing; empty if all exist. Raises Unreadable for what cannot be one."""
        pk, found = self._walk(names)
        if pk is not None or not names:
            return ""
        if len(names) > categories.DEPTH_MAX:
            raise Unreadable(f"The tree has {categories.DEPTH_MAX} levels at most.")
        for name in names[found:]:
            try:
                Category._meta.get_field("name").clean(name, None)
            except ValidationError as error:
                raise Unreadable(" ".join(error.messages)) from None
        return category_path(names[: found + 1])

    def create(self, names: Sequence[str]) -> None:
        """Create the missing levels. Call it in the transaction of the slice. Raises InvalidValue."""
        if not self.missing(names):
            return
        parent: Category | None = None
        categories.lock_tree()
        for name in names:
            key = sibling_key(parent.pk if parent else None, name)
            parent = self._found(key) or self._created(key, name, parent)
            self.ids[key] = parent.pk

    def _found(self, key: str) -> Category | None:
        return Category.objects.filter(sibling_key=key).first()

    def _created(self, key: str, name: str, parent: Category | None) -> Category:
        try:
            return categories.create(name=name, parent=parent)
        except InvalidValue:  # another slice has created it: of a tree without categories nothing is locked
            if found := self._found(key):
                return found
            raise

    def _walk(self, names: Sequence[str]) -> tuple[int | None, int]:
        """The id at the end of the path, or None, and how many of its levels exist."""
        pk: int | None = None
        for depth, name in enumerate(names):
            following = self.ids.get(sibling_key(pk, name))
            if following is None:
                return None, depth
            pk = following
        return pk, len(names)
