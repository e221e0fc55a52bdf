set -e
ssh-keygen -q -t ed25519 -N '' -C test -f key; ls key key.pub; stat -c %a key; ssh-keygen -y -f key | cut -d' ' -f1; ssh-keygen -lf key.pub | cut -d' ' -f1,3-; echo data > m; ssh-keygen -q -Y sign -f key -n file m 2>/dev/null; ls m.sig
