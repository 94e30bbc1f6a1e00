"""Accounts in the admin."""

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import BaseUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import email_verification, names, profile
from accounts.admin_login import LoginForm
from accounts.models import User
from productbackend.database.fields import fold
from productbackend.site.admin import Listed, ShopAdmin, begins_with
from productbackend.text.addresses import canonical_address

admin.site.login_form = LoginForm
admin.site.unregister(Group)
# django-otp registers pages that show and change keys and codes. Staff have accounts/two_factor_pages.py.
admin.site.unregister([TOTPDevice, StaticDevice])

PERMISSION_FIELDS = ("is_staff", "is_superuser", "groups", "user_permissions")


def can_manage(request: HttpRequest, user: User) -> bool:
    """Return whether the user may change the account. Only superusers change superusers and other staff."""
    return bool(request.user.is_superuser) or not (user.is_staff or user.is_superuser)


@admin.register(Group)
class RoleAdmin(Listed, GroupAdmin):
    """Only superusers change groups: other staff could grant themselves permissions."""

    section = "Customers and staff"
    list_name = "Roles"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return bool(request.user.is_superuser)


class AccountFormMixin:
    """Check that names and addresses are unique in any case, and that no name contains a link."""

    def clean_first_name(self) -> str:
        return self._validated_name("first_name")

    def clean_last_name(self) -> str:
        return self._validated_name("last_name")

    def _validated_name(self, field: str) -> str:
        name: str = self.cleaned_data[field]  # type: ignore[attr-defined]
        names.validate(name)
        return name

    def clean_username(self) -> str:
        username = self._validated_name("username")
        self._check_unique("This name is taken.", username_key=fold(username))
        return username

    def clean_email(self) -> str | None:
        email = canonical_address(self.cleaned_data.get("email") or "") or None  # type: ignore[attr-defined]
        if email:
            self._check_unique("This address is taken.", email=email)
        return email

    def _check_unique(self, message: str, **lookup: str) -> None:
        if User.objects.filter(**lookup).exclude(pk=self.instance.pk).exists():  # type: ignore[attr-defined]
            raise forms.ValidationError(message, code="unique")


class AddForm(AccountFormMixin, BaseUserCreationForm):
    class Meta(BaseUserCreationForm.Meta):
        model = User
        fields = ("username", "email")


class ChangeForm(AccountFormMixin, UserChangeForm):
    class Meta(UserChangeForm.Meta):
        model = User


@admin.register(User)
class AccountAdmin(ShopAdmin, UserAdmin):
    section = "Customers and staff"
    list_name = "Accounts"
    rank = 0
    form = ChangeForm
    add_form = AddForm
    list_display = (
        "login",
        "email",
        "email_verified",
        "first_name",
        "last_name",
        "is_staff",
        "is_active",
        "date_joined",
    )
    sortable_by = ("login", "email", "date_joined")
    list_filter = ("is_staff", "is_active")
    ordering = ("username_key",)
    search_fields = ("username",)
    search_help_text = "The beginning of a user name or an e-mail address."
    readonly_fields = ("last_login", "date_joined", "pending_email")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email", "email_verified", "pending_email")}),
        ("Permissions", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("username", "email", "password1", "password2")}),)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        if not search_term:
            return queryset, False
        names = begins_with("username_key", User.normalize_username(search_term))
        addresses = begins_with("email", search_term) | Q(email=canonical_address(search_term))
        return queryset.filter(names | addresses), False

    @admin.display(description="username", ordering="username_key")
    def login(self, user: User) -> str:
        return user.username

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and (
            obj is None or obj.pk == request.user.pk or can_manage(request, obj)
        )

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or can_manage(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        if request.user.is_superuser:
            return self.readonly_fields
        own = ("is_active", "email") if obj is not None and obj.pk == request.user.pk else ()
        return (*self.readonly_fields, "email_verified", *PERMISSION_FIELDS, *own)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Change another user's password. Staff change their own at /admin/password_change/, with the old one."""
        if not request.user.is_superuser and self.get_object(request, unquote(id)) == request.user:
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
            if obj.email:
                email_verification.enqueue_verification(user=obj, address=obj.email)
            return
        # Save the fields that the form changed: a concurrent change of password or address is not overwritten.
        changed = {field.name for field in obj._meta.concrete_fields}.intersection(form.changed_data)
        if "email" in changed:
            changed.add("pending_email")
            typed, obj.email = obj.email, form.initial["email"]
            if typed:  # the new address must be verified by mail, and the current one gets a notice
                obj.pending_email = profile.request_address_change(obj, typed)
            else:
                obj.email, obj.email_verified, obj.pending_email = None, False, None
                changed.add("email_verified")
        obj.save(update_fields=changed)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        profile.close(user=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        users = list(queryset.order_by("pk"))
        if not all(can_manage(request, user) for user in users):
            raise PermissionDenied
        for user in users:
            profile.close(user=user)
