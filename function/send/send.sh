# Sends a file to S3 in parts, four at a time, and prints the address of a link to it.
# After a failure run the same line again: parts that have arrived are not sent again.
(
set -u
umask 077
export LC_ALL=C
tmp=$(mktemp -d) || exit
jobs=
trap 'kill $jobs 2>/dev/null; rm -rf "$tmp"' EXIT
trap 'exit 130' HUP INT TERM
# VALUES
say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# The answer to a request: ask <its file below $tmp> <path> [options of curl].
ask() {
  answer=$tmp/$1 address=$api/$2; shift 2
  curl --fail-with-body -gsS --retry 5 -m 90 -H @"$tmp/caller" -H 'content-type: application/json' \
    -o "$answer" "$@" "$address" && return
  sed -n 's/.*"detail":"\(.*\)","request_id".*/\1/p' "$answer" 2>/dev/null >&2
  return 1
}
number() { sed 's/"created":.*//; s/.*"'"$1"'":\([0-9]*\).*/\1/' "$tmp/upload"; }
md5() { { md5sum || command md5 -q || openssl md5 -r; } <"$1" 2>/dev/null | cut -c 1-32; }

# Sends the part in $tmp/<number>.part, and sets etag to what S3 answers.
put() {
  for pause in 1 2 4 8 0; do
    ask "$1.url" "uploads/$id/parts" -d "{\"part_numbers\":[$1]}" &&
      sed 's/.*"url":"\([^"]*\)".*/url = "\1"/' "$tmp/$1.url" >"$tmp/$1.curl" &&
      curl -fgsS -Y 1000 -y 60 -T "$tmp/$1.part" -D "$tmp/$1.head" -o /dev/null -K "$tmp/$1.curl" &&
      etag=$(sed -n 's/^[Ee][Tt][Aa][Gg]: *"\([^"]*\)".*/\1/p' "$tmp/$1.head") && return
    sleep "$pause"
  done
  return 1
}
# Sends a part, unless S3 has its very bytes.
send() {
  dd if="$file" of="$tmp/$1.part" bs=1048576 skip="$(( ($1 - 1) * mib ))" count="$mib" 2>/dev/null
  etag=$(md5 "$tmp/$1.part")
  if grep -q "^$1 $etag\$" "$tmp/arrived"; then
    say "Part $1 of $parts had arrived."
  else
    put "$1" || fail "Part $1 of $parts did not arrive."
    say "Part $1 of $parts is sent."
  fi
  echo "{\"part_number\":$1,\"etag\":\"$etag\"}" >>"$tmp/sent"
  rm -f "$tmp/$1.part"
}
work() {
  part=$1
  while [ "$part" -le "$parts" ]; do send "$part"; part=$((part + 4)); done
}

curl --fail-with-body -V >/dev/null 2>&1 || fail "This needs curl 7.76 or later."
[ -f "$file" ] && [ -r "$file" ] || fail "There is no file $file to read."
size=$(( $(wc -c <"$file") ))
[ "$size" = "${expected:-$size}" ] || fail "$file has $size bytes and not $expected."
: >"$tmp/begun"
if [ -n "$id" ] && ask upload "uploads/$id" && [ "$(number size)" = "$size" ]; then
  say "Going on with the upload of $file."
else
  echo ",\"size\":$size}" >>"$tmp/new"
  ask upload uploads -H "idempotency-key: $key-upload" --data-binary @"$tmp/new" || exit
  id=$(sed 's/.*"upload_id":"\([0-9a-f]*\)".*/\1/' "$tmp/upload")
fi
tr '{' '\n' <"$tmp/upload" >"$tmp/lines"
sed -n 's/^"part_number":\([0-9]*\),.*"etag":"\([^"]*\)".*/\1 \2/p' "$tmp/lines" >"$tmp/arrived"
parts=$(number total_parts) mib=$(( $(number part_size) / 1048576 ))
for first in 1 2 3 4; do
  work "$first" &
  jobs="$jobs $!"
done
failed=
for job in $jobs; do wait "$job" || failed=yes; done
jobs=
[ -z "$failed" ] || fail "Run the same line again to go on."
[ ! "$file" -nt "$tmp/begun" ] || fail "$file changed meanwhile. Run the same line again."
{ echo '{"parts":['; paste -s -d , "$tmp/sent"; echo ']}'; } >"$tmp/body"
ask file "uploads/$id/complete" --data-binary @"$tmp/body" || exit
name=$(sed 's/.*,"file_name":\(".*"\),"size":.*/\1/' "$tmp/file")
{ printf "%s\n" "{\"items\":[$name]"; cat "$tmp/link"; } >"$tmp/body"
ask made links -H "idempotency-key: $key-link" --data-binary @"$tmp/body" ||
  fail "The file is stored as $name; it has no link yet."
echo "$(sed 's/.*"url":"\([^"]*\)".*/\1/' "$tmp/made")"
) </dev/null
