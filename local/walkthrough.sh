curl -s http://127.0.0.1:8000/register -H 'content-type: application/json' -d '{"username": "alice", "password": "seven quiet otters"}' -w '\n'
curl -s http://127.0.0.1:8000/register -H 'content-type: application/json' -d '{"username": "bob", "password": "a lamp in the rain"}' -w '\n'
curl -s http://127.0.0.1:8000/login -H 'content-type: application/json' -d '{"username": "alice", "password": "seven quiet otters"}' | sed 's/.*"token": *"\([^"]*\)".*/x-session-token: \1/' > alice.token
curl -s http://127.0.0.1:8000/login -H 'content-type: application/json' -d '{"username": "bob", "password": "a lamp in the rain"}' | sed 's/.*"token": *"\([^"]*\)".*/x-session-token: \1/' > bob.token
echo 'Hello, Bob.' > hello.txt
curl -s -T hello.txt -H @alice.token 'http://127.0.0.1:8000/file?file_name=hello.txt' -o /dev/null
curl -s http://127.0.0.1:8000/share -H @alice.token -H 'content-type: application/json' -d '{"file_name": "hello.txt", "username": "bob"}' -w '\n'
curl -s -H @bob.token -H 'accept: application/octet-stream' 'http://127.0.0.1:8000/file?file_name=hello.txt&username=alice'
curl -sT hello.txt -H @alice.token http://127.0.0.1:8000/send/for-a-friend/
echo 'Open this link in a browser, and http://127.0.0.1:8000/docs for all requests.'
