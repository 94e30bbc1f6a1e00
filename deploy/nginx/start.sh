#!/bin/sh
# Fills in what only the running container knows, and becomes nginx; with `reload` it tells the nginx that runs.
set -eu

# The engine's own name server, asked again and again, for a scaled service moves. The first one alone, as
# everything else takes it: nginx would ask all in turn, and those of the world outside know no service.
resolver=$(awk '$1 == "nameserver" {print ($2 ~ /:/) ? "[" $2 "]" : $2; exit}' /etc/resolv.conf)
# The other fields of an upload, and the boundaries between, may have as much as JSON.
body=$((IMAGE_MAX_BYTES + 1000000))

sed -e "s/@RESOLVER@/$resolver/" -e "s/@BODY@/$body/" -e "s/@PROXIES@/$NUM_PROXIES/" \
    /etc/nginx/shop/shop.conf.template >/tmp/shop.conf
if [ "${1:-}" = reload ]; then
    cmp -s /tmp/shop.conf /etc/nginx/conf.d/default.conf && exit
    cp /etc/nginx/conf.d/default.conf /tmp/before.conf
    cp /tmp/shop.conf /etc/nginx/conf.d/default.conf
    nginx -t -q || { cp /tmp/before.conf /etc/nginx/conf.d/default.conf; exit 1; }
    exec nginx -s reload
fi
cp /tmp/shop.conf /etc/nginx/conf.d/default.conf
exec nginx -g 'daemon off;'
