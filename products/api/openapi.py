"""What the catalogue adds to the problem types and to the OpenAPI document."""

from rest_framework import serializers

from productbackend.api.fields import HelpText
from productbackend.api.openapi.document import LINKS, OBJECT, TAGS, Link
from productbackend.api.openapi.problems import SERIALIZERS, ProblemSerializer
from productbackend.api.problem_types import PROBLEMS, Problem


class ShortageSerializer(serializers.Serializer):
    product = serializers.IntegerField(
        allow_null=True, help_text=HelpText("The product's id; null if it was deleted since.", 7)
    )
    name = serializers.CharField(help_text=HelpText("The product's name.", "Walking boot"))
    requested = serializers.IntegerField(help_text=HelpText("The requested quantity.", 3))
    available = serializers.IntegerField(help_text=HelpText("The available quantity.", 2))


class ShortageProblemSerializer(ProblemSerializer):
    """A 409 that lists each product with too little stock."""

    shortages = ShortageSerializer(many=True, help_text="The products with too little stock.")


PROBLEM_TYPES = {
    "invalid-image": Problem(
        400,
        "The file is not a picture that the shop accepts",
        "The content is not JPEG, PNG, WebP, GIF or AVIF, or is damaged, or has too many pixels.",
        "Send a picture in one of these formats, within the limits.",
    ),
    "insufficient-stock": Problem(
        409,
        "There is not enough in stock",
        "`shortages` lists each product with the requested and the available quantity. Nothing was changed.",
        "Lower the quantities, or remove the items, and try again.",
    ),
}


def register() -> None:
    PROBLEMS.update(PROBLEM_TYPES)
    SERIALIZERS["insufficient-stock"] = ShortageProblemSerializer
    TAGS["products"] = "The catalogue. Anyone may read; staff with the permission may write."
    TAGS["families"] = "Products that differ by options, such as a size. Each is a product of its own."
    TAGS["images"] = "A product's pictures. Workers create the renditions after the upload."
    TAGS["categories"] = "The tree of categories."
    ids = {"id": "$response.body#/id"}
    image = {"product_id": "$response.body#/product", "image_id": "$response.body#/id"}
    LINKS.extend(
        [
            Link("products_create", "201", [f"products_{verb}" for verb in OBJECT], ids),
            Link("products_create", "201", ["images_list", "images_create"], {"product_id": "$response.body#/id"}),
            Link("families_create", "201", [f"families_{verb}" for verb in OBJECT], ids),
            Link("categories_create", "201", [f"categories_{verb}" for verb in OBJECT], ids),
            Link(
                "images_create",
                "201",
                ["images_retrieve", "images_partial_update", "images_destroy", "images_original"],
                image,
            ),
        ]
    )
