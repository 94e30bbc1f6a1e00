#!/bin/sh
# Replaces the template's variables and starts nginx; with `reload` it reloads the running nginx instead.
set -euf

# The engine's DNS server, queried again and again, because the addresses of a scaled service change. Only the first
# server, as other resolvers do: nginx would query all in turn, and external servers do not know the services.
resolver=$(awk '$1 == "nameserver" {print ($2 ~ /:/) ? "[" $2 "]" : $2; exit}' /etc/resolv.conf)
# The other fields of an upload, and the boundaries, may have the size of a JSON body. The service knows which path takes
# which upload.
upload=$((IMPORT_MAX_BYTES > IMAGE_MAX_BYTES ? IMPORT_MAX_BYTES : IMAGE_MAX_BYTES))
body=$((upload + 1000000))
# The number of trusted proxies between the client and the one whose address nginx sees.
before=$((NUM_PROXIES > 2 ? NUM_PROXIES - 2 : 0))
# An nginx map from each allowed origin to itself.
origins=''
for origin in $(printf %s "${CORS_ALLOWED_ORIGINS:-}" | tr , ' '); do
    case $origin in
        *[!A-Za-z0-9:/._\[\]-]*) echo "CORS_ALLOWED_ORIGINS: $origin is not an origin" >&2; exit 1 ;;
    esac
    origins="$origins\"$origin\" \"$origin\"; "
done

sed -e "s/@RESOLVER@/$resolver/" -e "s/@BODY@/$body/" -e "s/@PROXIES@/$NUM_PROXIES/" \
    -e "s/@BEFORE@/$before/" -e "s|@ORIGINS@|$origins|" -e "s/@VARY@/${origins:+Origin}/" \
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
