#!/bin/sh
# Fills in what only the running container knows, and becomes nginx.
set -eu

# The engine's own name server, asked again and again: a scaled service moves.
resolvers=$(awk '$1 == "nameserver" {print ($2 ~ /:/) ? "[" $2 "]" : $2}' /etc/resolv.conf | tr '\n' ' ')
# The other fields of an upload, and the boundaries between, may have as much as JSON.
body=$((IMAGE_MAX_BYTES + 1000000))

sed -e "s/@RESOLVERS@/$resolvers/" -e "s/@BODY@/$body/" -e "s/@PROXIES@/$NUM_PROXIES/" \
    /etc/nginx/shop/shop.conf.template >/etc/nginx/conf.d/default.conf
exec nginx -g 'daemon off;'
