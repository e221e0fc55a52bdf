# A virtual environment, and a wheel built here and installed from here.
set -e
P=$(command -v /usr/bin/python3 || command -v python3)
mkdir -p wheel/hello wheel/hello-1.0.dist-info
echo 'def greet(): return "hello from the wheel"' > wheel/hello/__init__.py
printf 'Metadata-Version: 2.1\nName: hello\nVersion: 1.0\n' > wheel/hello-1.0.dist-info/METADATA
printf 'Wheel-Version: 1.0\nGenerator: guest\nRoot-Is-Purelib: true\nTag: py3-none-any\n' > wheel/hello-1.0.dist-info/WHEEL
printf 'hello/__init__.py,,\nhello-1.0.dist-info/METADATA,,\nhello-1.0.dist-info/WHEEL,,\nhello-1.0.dist-info/RECORD,,\n' > wheel/hello-1.0.dist-info/RECORD
cd wheel; $P -m zipfile -c ../hello-1.0-py3-none-any.whl hello hello-1.0.dist-info; cd ..
$P -c 'import ensurepip' 2>/dev/null && with= || with=--without-pip
$P -m venv $with env; env/bin/python -c 'import sys; print(sys.prefix != sys.base_prefix)'
if [ -z "$with" ]; then env/bin/pip install -q --disable-pip-version-check --no-index --no-cache-dir ./hello-1.0-py3-none-any.whl
else cp -r wheel/hello env/lib/python3*/site-packages/; fi
env/bin/python -c 'import hello; print(hello.greet())'
