from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('products', '0015_search_indexes'),
    ]

    # Added first: MySQL requires an index for the foreign key.
    operations = [
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['family', 'family_position', 'is_lead'], name='product_family_lead'),
        ),
        migrations.RemoveIndex(
            model_name='product',
            name='product_family',
        ),
    ]
