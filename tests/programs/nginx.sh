# nginx.sh - nginx, with gzip and subrequests, under wrk; both with malloc ours.
# soak; needs: nginx wrk python3.11
set -u
port=$(/usr/bin/python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir www logs
seq 200000 >www/numbers.txt
echo hello >www/index.html
echo '<!--# include virtual="/index.html" --><!--# include
virtual="/numbers.txt" -->' >www/all.shtml
cat >nginx.conf <<END
daemon off;
worker_processes 3;
pid nginx.pid;
error_log logs/error.log;
events { worker_connections 200; }
http {
    access_log logs/access.log;
    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3;
    uwsgi_temp_path t4; scgi_temp_path t5;
    types { text/html html shtml; text/plain txt; }
    gzip on; gzip_types *; gzip_min_length 1; ssi on;
    server {
        listen 127.0.0.1:$port;
        root $PWD/www;
        location /proxy/ { proxy_pass http://127.0.0.1:$port/; }
    }
}
END
chmod -R a+rX .
nginx -p "$PWD" -c "$PWD/nginx.conf" -e logs/error.log &
server=$!
trap 'kill $server 2>/dev/null; wait $server' EXIT
url=http://127.0.0.1:$port
fetch() {
    /usr/bin/python3 - "$url$1" <<'END'
import gzip, hashlib, sys, urllib.request
headers = {"Accept-Encoding": "gzip"}
request = urllib.request.Request(sys.argv[1], headers=headers)
with urllib.request.urlopen(request) as reply:
    body = reply.read()
    if reply.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    print(reply.status, len(body), hashlib.md5(body).hexdigest())
END
}
for _ in $(seq 3000); do # five minutes, or until it has ended
    kill -0 $server || break
    fetch /index.html >/dev/null 2>&1 && break
    sleep 0.1
done
for path in /index.html /all.shtml /proxy/numbers.txt; do
    echo "$path: $(fetch $path 2>&1 | tail -n 1)"
    wrk -t 2 -c 30 -d 5s --timeout 60s -H 'Accept-Encoding: gzip' \
        "$url$path" >said 2>&1
    echo "wrk ended with $?"
    grep -E 'Socket errors|Non-2xx|unable' said
    [[ $(awk '/requests in/ { print $1 }' said) -gt 0 ]] || cat said
done
nginx -p "$PWD" -c "$PWD/nginx.conf" -e logs/error.log -s reload
sleep 1
fetch /numbers.txt
kill -QUIT $server
wait $server
echo "nginx ended with $?"
grep -E 'signal|alert|emerg' logs/error.log | grep -v 'signal process started' |
    grep -vE 'signal [0-9]+ \(SIG(QUIT|HUP|CHLD)\)'
:
