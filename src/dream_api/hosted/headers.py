"""Headers of pages that customers see."""

HEADERS = {
    "Cache-Control": "no-store",
    # The address of the page is the permission: no referrer carries it.
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
# Ends with where forms of the page may lead.
POLICY = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'; form-action "
