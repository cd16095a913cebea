API=http://127.0.0.1:8000
JSON='content-type: application/json'
token() { sed -n 's/.*"token": *"\([^"]*\)".*/\1/p'; }

# Two people register and log in.
curl -s "$API/register" -H "$JSON" -d '{"username": "alice", "password": "seven quiet otters"}'; echo
curl -s "$API/register" -H "$JSON" -d '{"username": "bob", "password": "a lamp in the rain"}'; echo
ALICE=$(curl -s "$API/login" -H "$JSON" -d '{"username": "alice", "password": "seven quiet otters"}' | token)
BOB=$(curl -s "$API/login" -H "$JSON" -d '{"username": "bob", "password": "a lamp in the rain"}' | token)

# Alice uploads 3 MiB and lists her files.
head -c 3145728 /dev/urandom > photo.raw
curl -s -T photo.raw -H "x-session-token: $ALICE" "$API/file?file_name=holiday/photo.raw"; echo
curl -s -H "x-session-token: $ALICE" "$API/files"; echo

# She shares the file; Bob downloads it, byte for byte.
curl -s "$API/share" -H "$JSON" -H "x-session-token: $ALICE" -d '{"file_name": "holiday/photo.raw", "username": "bob"}'; echo
curl -s -o copy.raw -H "x-session-token: $BOB" -H 'accept: application/octet-stream' "$API/file?file_name=holiday/photo.raw&username=alice"
cmp photo.raw copy.raw && echo "The same, byte for byte."

# Both log out.
curl -s -X POST -H "x-session-token: $ALICE" "$API/logout"
curl -s -X POST -H "x-session-token: $BOB" "$API/logout"
