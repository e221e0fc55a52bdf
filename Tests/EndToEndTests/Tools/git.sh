# A repository with history, cloned, read, packed. The same hashes, inside as outside.
set -e
export GIT_AUTHOR_DATE='2026-01-01T00:00:00Z' GIT_COMMITTER_DATE='2026-01-01T00:00:00Z' GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
git init -q -b main origin; cd origin
for i in $(seq 40); do mkdir -p d$((i % 7)); echo "line $i" >> d$((i % 7))/f$i; git add .; git commit -qm "change $i"; done
git branch side HEAD~10; git checkout -q side; echo x > side; git add .; git commit -qm side; git checkout -q main; git merge -q -m merge side
cd ..; git clone -q origin copy; cd copy
git log --format='%H %s' | tail -3; git log --stat --oneline | wc -l
git gc -q; git fsck --full 2>/dev/null; git count-objects -v | grep in-pack
echo changed >> d1/f1; git status --porcelain; git diff --stat; git commit -qam changed; git push -q origin HEAD:pushed; git -C ../origin rev-parse pushed
git rebase -q HEAD~3; git stash list; git worktree add -q ../tree HEAD~1; ls ../tree
