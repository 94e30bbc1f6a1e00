"""Accounts in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, BaseUserCreationForm, UserChangeForm
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import profile
from accounts.models import User
from productbackend.admin import ShopAdmin, begins_with
from productbackend.fields import fold


class UniqueMixin:
    """Names and addresses are unique whatever their case."""

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]  # type: ignore[attr-defined]
        self._refuse_taken("This name is taken.", username_key=fold(username))
        return username

    def clean_email(self) -> str | None:
        email = (self.cleaned_data.get("email") or "").lower() or None  # type: ignore[attr-defined]
        if email:
            self._refuse_taken("This address is taken.", email=email)
        return email

    def _refuse_taken(self, message: str, **lookup: str) -> None:
        if User.objects.filter(**lookup).exclude(pk=self.instance.pk).exists():  # type: ignore[attr-defined]
            raise forms.ValidationError(message, code="unique")


class AddForm(UniqueMixin, BaseUserCreationForm):
    class Meta(BaseUserCreationForm.Meta):
        model = User
        fields = ("username", "email")


class ChangeForm(UniqueMixin, UserChangeForm):
    class Meta(UserChangeForm.Meta):
        model = User


class PasswordForm(AdminPasswordChangeForm):
    def save(self, commit: bool = True) -> Any:
        self.user.token_version += 1  # a new password ends every token
        return super().save(commit)


@admin.register(User)
class AccountAdmin(ShopAdmin, UserAdmin):
    form = ChangeForm
    add_form = AddForm
    change_password_form = PasswordForm
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
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email", "email_verified", "pending_email")}),
        ("Permissions", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("username", "email", "password1", "password2")}),)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term:
            return queryset, False
        return queryset.filter(begins_with("username_key", search_term) | begins_with("email", search_term)), False

    @admin.display(description="username", ordering="username_key")
    def login(self, user: User) -> str:
        return user.username

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            return super().save_model(request, obj, form, change)
        # Only what was changed here: a password or an address that changed meanwhile stays.
        columns = {field.name for field in obj._meta.concrete_fields}
        obj.save(update_fields=columns.intersection(form.changed_data))
        return None

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        profile.close(user=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for user in queryset.order_by("pk"):
            profile.close(user=user)
