#!/bin/sh
# SPDX-License-Identifier: MIT
# selftest.sh - a check that cannot fail is no check: seed one violation of each kind into a small
# tree and expect the check to name it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
for folder in base lifecycle api/openai api/lmstudio_rest api/lmstudio_ws supervisor daemon cli \
    fleet http; do
    mkdir -p "$tree/src/$folder"
done
mkdir -p "$tree/tests/unit" "$tree/tools" "$tree/setup" "$tree/web"
printf '/* SPDX-License-Identifier: MIT */\n' |
    tee "$tree/src/base/x.h" "$tree/src/api/openai/x.h" >"$tree/src/api/x.h"
caught=0

# expect CHECK FILE CONTENT WORD [LINE]: CHECK must fail, naming FILE:LINE and WORD.
expect() {
    check=$1 file=$2 content=$3 word=$4 line=${5:-2}
    case $file in
    *.[ch] | *.tsx | *.css) licence='/* SPDX-License-Identifier: MIT */' ;;
    *) licence='# SPDX-License-Identifier: MIT' ;;
    esac
    printf '%s\n%b\n' "$licence" "$content" >"$tree/$file"
    if out=$(python3 "$here/$check" "$tree" 2>&1); then
        echo "selftest: $check let pass: $content ($file)" >&2
        exit 1
    fi
    case $out in
    *"$file:$line:"*"$word"*) caught=$((caught + 1)) ;;
    *) echo "selftest: $check did not name $file and '$word' but said: $out" >&2; exit 1 ;;
    esac
    rm "$tree/$file"
}

expect layers.py src/base/a.c '#include "ipc/frame.h"' 'nothing of ours'
expect layers.py src/lifecycle/a.c '#include <stdlib.h>' pure
expect layers.py src/lifecycle/a.c '#include "base/buf.h"' base/msec.h
expect layers.py src/lifecycle/a.c 'void f(void) { free(p); }' pure
expect layers.py src/fleet/placement.c '#include <stdlib.h>' pure
expect layers.py src/fleet/placement_estimate.c 'msec t = time(NULL);' pure
expect layers.py src/fleet/a.c '#include "lifecycle/lifecycle.h"' 'may use api'
expect layers.py src/api/a.c '#include "daemon/supervisor.h"' 'may use base'
expect layers.py src/api/a.c '#include "lifecycle/lifecycle.h"' 'may use base'
expect layers.py src/api/a.c '#include "api/openai/openai.h"' 'no other dialect'
expect layers.py src/api/openai/a.c '#include "api/lmstudio_rest/v0.h"' 'no other dialect'
expect layers.py src/api/lmstudio_ws/a.c '#include "../openai/x.h"' 'no other dialect'
expect layers.py src/daemon/a.c '#include <llama.h>' engine
expect layers.py src/daemon/a.c '#include "engine/slots.h"' 'may use'
expect layers.py src/supervisor/a.c '#include <llama.h>' engine
expect layers.py src/supervisor/a.c '#include "http/server.h"' 'may use'
expect layers.py src/supervisor/a.c '#include "daemon/routes/routes.h"' 'may use'
expect layers.py src/supervisor/a.c '#include <llhttp.h>' http
expect layers.py src/http/a.c '#include "../api/x.h"' 'may use'
expect layers.py src/cli/a.c '#include "daemon/supervisor.h"' daemon/serve.h
expect layers.py src/cli/a.c '#include <uv.h>' daemon
expect layers.py tests/unit/a.c '#include <gguf.h>' tools

expect style.py src/base/a.c 'void f(void) { strcpy(a, b); }' strcpy
expect style.py tests/unit/a.c 'void f(void) { usleep(10); }' sleep
expect style.py src/base/a.c '/* TODO: later */' TODO
expect style.py src/base/a.c "/* $(printf '%0100d' 1) */" columns
wide=$(printf '%0101d' 1)
expect style.py src/base/CMakeLists.txt "# $wide" columns
expect style.py tools/a.py "# $wide" columns
expect style.py setup/a.sh "# $wide" columns
expect style.py web/a.tsx "// $wide" columns
expect style.py web/a.css "/* $wide */" columns
expect style.py src/base/CMakeLists.txt 'add_library(doze_x STATIC x.c)' doze_library
echo 'nothing' >"$tree/tools/a.py"
case $(python3 "$here/style.py" "$tree") in
*tools/a.py:1:*SPDX*) rm "$tree/tools/a.py" && caught=$((caught + 1)) ;;
*) echo "selftest: style.py does not miss a licence" >&2; exit 1 ;;
esac
# body COUNT: a function with that many statements.
body() { printf 'void f(void) {\n'; seq -f '    a%.0f();' "$1"; printf '}'; }
expect style.py src/base/a.c "$(body 60)" Long:
expect style.py src/base/a.c "/* Long: a reason. */\n$(body 100)" 'at most 100' 3
expect style.py src/base/a.c "$(seq -f '/* %.0f */' 801)" 'split the file' 800

printf '/* SPDX-License-Identifier: MIT */\n#include "base/x.h"\n/* strcpy( in prose is fine */\n' \
    >"$tree/src/api/a.c"
body 58 >>"$tree/src/api/a.c"
printf '/* SPDX-License-Identifier: MIT */\n#include "api/x.h"\n#include "api/openai/x.h"\n' \
    >"$tree/src/api/lmstudio_rest/a.c"
python3 "$here/layers.py" "$tree" >/dev/null
python3 "$here/style.py" "$tree" >/dev/null

# circles.py: two files that need each other are let pass, three are not.
objects=$tree/objects
mkdir "$objects"
# object NAME NEEDS: NAME.o defines NAME and needs the other
object() {
    printf 'int %s(void);\nint %s(void);\nint %s(void) { return %s(); }\n' "$1" "$2" "$1" "$2" |
        cc -x c -c -o "$objects/$1.c.o" -
}
object a b && object b a
python3 "$here/circles.py" "$objects" >/dev/null
object b c && object c a
case $(python3 "$here/circles.py" "$objects" && echo PASSED) in
*PASSED) echo "selftest: circles.py let a circle of three pass" >&2; exit 1 ;;
*'circle of 3'*'a.c needs b of'*'b.c needs c of'*'c.c needs a of'*) caught=$((caught + 1)) ;;
*) echo "selftest: circles.py does not name the circle" >&2; exit 1 ;;
esac

# tests/run.sh with a ctest that knows unit tests only, and a class that CMake left out.
mkdir -p "$tree/bin" "$tree/build/x/obj"
cp "$here/../../tests/run.sh" "$here/../../tests/python.sh" "$tree/tests"
# shellcheck disable=SC2016 # the fake program expands it
printf '#!/bin/sh\n[ "$3" = --print-labels ] && echo "  unit"\nexit 0\n' >"$tree/bin/ctest"
chmod +x "$tree/bin/ctest"
# classes KIND CI: runs the tests with a class left out for that kind of reason
classes() {
    echo "$1 page chromium is missing" >"$tree/build/x/obj/left-out"
    PATH="$tree/bin:$PATH" CI=$2 sh "$tree/tests/run.sh" x 2>&1
}
for run in 'missing 1' 'missing ' 'elsewhere 1'; do
    case $run:$(classes "${run% *}" "${run#* }" || echo FAILED) in
    'missing 1:'*'page SKIPPED: chromium'*lacks*page*FAILED) caught=$((caught + 1)) ;;
    'missing 1:'* | *FAILED*) echo "selftest: tests/run.sh with '$run'" >&2; exit 1 ;;
    *'page SKIPPED: chromium'*) ;;
    *) echo "selftest: tests/run.sh does not name what is left out" >&2; exit 1 ;;
    esac
done
echo "selftest: $caught seeded violations caught"
