# Sums what test runners say at their end: prints "PASSED FAILED SKIPPED".
# Knows cargo test ("test result: ok. 3 passed; 0 failed; 1 ignored; …"), node --test ("# pass 3" or "ℹ pass 3") and Python's
# unittest ("Ran 3 tests in 1.2s", then "OK (skipped=1)" or "FAILED (failures=1, errors=1)").

{ gsub(/\033\[[0-9;]*m/, "") } # colours

/^test result: / {
    for (i = 2; i <= NF; i++) {
        if ($i ~ /^passed/) passed += $(i - 1)
        if ($i ~ /^failed/) failed += $(i - 1)
        if ($i ~ /^ignored/) skipped += $(i - 1)
    }
}

/^(#|ℹ) pass [0-9]+$/ { passed += $3 }
/^(#|ℹ) (fail|cancelled) [0-9]+$/ { failed += $3 }
/^(#|ℹ) (skipped|todo) [0-9]+$/ { skipped += $3 }

/^Ran [0-9]+ tests? in / { passed += $2 }
/^(OK|FAILED)( \(.*\))?$/ {
    while (match($0, /(failures|errors|skipped|unexpected successes)=[0-9]+/)) {
        split(substr($0, RSTART, RLENGTH), pair, "=")
        passed -= pair[2]
        if (pair[1] == "skipped") skipped += pair[2]
        else failed += pair[2]
        $0 = substr($0, RSTART + RLENGTH)
    }
}

END { print passed + 0, failed + 0, skipped + 0 }
