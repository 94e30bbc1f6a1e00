from django.db import migrations


def add_index(apps, schema_editor):
    """On SQLite `products.search_index` makes it, after each migration."""
    if schema_editor.connection.vendor == "mysql":
        schema_editor.execute("CREATE FULLTEXT INDEX product_search ON products_product (search_text)")


def remove_index(apps, schema_editor):
    if schema_editor.connection.vendor == "mysql":
        schema_editor.execute("DROP INDEX product_search ON products_product")


class Migration(migrations.Migration):

    atomic = False  # MySQL cannot take a changed table back
    dependencies = [("products", "0001_initial")]

    operations = [migrations.RunPython(add_index, remove_index)]
