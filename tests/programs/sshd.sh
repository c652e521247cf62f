# sshd.sh - OpenSSH's server: its child may do only what a seccomp list has.
# soak; needs: sshd ssh ssh-keygen python3.11
set -u
port=$(/usr/bin/python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir -p /run/sshd 2>/dev/null
ssh-keygen -q -t ed25519 -N '' -f host
ssh-keygen -q -t ed25519 -N '' -f key
cp key.pub keys
cat >config <<END
ListenAddress 127.0.0.1:$port
HostKey $PWD/host
AuthorizedKeysFile $PWD/keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
LogLevel VERBOSE
END
/usr/sbin/sshd -D -e -f "$PWD/config" 2>log &
server=$!
trap 'kill $server 2>/dev/null; wait $server' EXIT
log_in() {
    ssh -p "$port" -i key -o BatchMode=yes -o StrictHostKeyChecking=no \
        -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
        -F /dev/null "$@" 127.0.0.1 'seq 100000 | md5sum'
}
for _ in $(seq 100); do
    log_in >/dev/null 2>&1 && break
    kill -0 $server || break
    sleep 0.1
done
for _ in $(seq "$SOAK"); do
    log_in
    log_in -C -c aes256-gcm@openssh.com
    log_in -o KexAlgorithms=diffie-hellman-group16-sha512
done
echo "ssh ended with $?"
kill $server
wait $server
echo "sshd ended with $?"
grep -E 'fatal|signal|mm:' log | grep -v 'Received signal 15'
:
