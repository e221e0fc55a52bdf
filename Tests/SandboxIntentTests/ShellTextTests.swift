import SandboxModel
import Testing
@testable import SandboxIntent

/// Shell text as far as it can be told before it runs.
@Suite struct ShellTextTests {
    /// The commands, with `?` before one that is not literal; `…` at the end where there may be more.
    private func told(_ text: String) -> String { told(ShellText.read(Array(text.utf8)[...])) }

    private func told(_ script: ShellText) -> String {
        let commands = script.commands.map { command in
            (command.isLiteral ? "" : "?") + command.words.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "_")
        }
        return (commands + (script.isComplete ? [] : ["…"])).joined(separator: " ")
    }

    @Test(arguments: [
        ("rm -rf x", "rm_-rf_x"), ("  rm\tx  ", "rm_x"), ("", ""), (";", ""), ("a; b && c || d | e & f", "a b c d e f"), ("a |& b", "a b"),
        ("a\nb\\\n c", "a b_c"), ("'a b' \"c d\" e\\ f", "a b_c d_e f"), ("a'b'\"c\"d", "abcd"), ("\"a\\\"b\\$c\\\\\"", "a\"b$c\\"),
        ("'a$b'", "a$b"), ("''", ""), ("# rm x", ""), ("a #b", "a"), ("a#b", "a#b"), ("A=1 B='x y' c d", "c_d"), ("A=1", ""),
        ("a > f 2>&1 < g >> h b", "a_b"), ("2>/dev/null a", "a"), ("a &> f", "a"), ("a 5", "a_5"), ("a <<< b", "a"),
        ("if a; then b; elif c; then d; else e; fi", "a b c d e"), ("while a; do b; done", "a b"), ("! a", "a"), ("{ a; }", "a"),
        ("time a", "a"), ("coproc a", "a"), ("time -p a", "a"), ("time -ao l a", "time_-ao_l_a"), ("exec a b", "a_b"), ("exec -a x b", "b"),
        ("command -p a", "a"),
        ("cd x && a; export B=c; exit 1", "a"), ("true && a", "a"), ("[ -f x ] && a", "a"),
        ("a $b", "?a_$b …"), ("a \"$b\"", "?a_$b …"), ("$a b", "?$a_b …"), ("a *.c", "?a_*.c …"), ("a ~/b", "?a_~/b …"),
        ("a {b,c}", "?a_{b,c} …"),
        ("for i in a; do b; done", "b …"), ("case x in a) b;; esac", "b …"), ("(a; b)", "a ?b …"), ("f() { a; }", "a …"),
        ("function f { a; }; b", "a b …"), ("function f { a b; }", "a_b …"),
        ("eval 'a'", "?a …"), ("eval a \"b;c\"", "?a_b ?c …"),
        (". x", "…"), ("trap 'a' EXIT; b", "b ?a …"), ("trap - EXIT", "…"), ("a b ()", "?a_b …"),
        ("(a;; b)", "a ?b …"), ("=(a)", "?= ?a …"), ("x=(a) b", "b …"), ("x=($(a)) b", "?a b …"),
        ("case x in a) b;; c) d;; esac; e", "b d e …"), ("(case x in a) b;; esac; c)", "b ?c …"), ("a=(b c); d", "d …"),
        ("a=(\nb\nc); d", "d …"), ("command -v a", "…"), ("a=$(b c); d", "?b_c d …"), ("a `b`", "?a ?b …"),
        ("a \"$(b c)\" d", "?a_$_d ?b_c …"), ("a \"$(b \"$(c)\")\"", "?a_$ ?b_$ ?c …"), ("a 'b", "?a_b …"), ("a \"b", "?a_b …"),
        ("a <(b)", "?a ?b …"),
        ("a <<E\nrm x\nE\nb", "a b …"), ("a <<'E' > f\nrm x\nE\n", "a …"), ("a <<-\tE\n\trm\n\tE\nb", "a b …"),
        ("a <<E <<F\n1\nE\nrm\nF\nb", "a b …"),
        ("a <<E\nrm x", "a …"), ("a \\", "a_\\"),
        ("a <<E\n$(b c) `d` \\$(e)\nE", "a ?b_c ?d …"), ("a <<'E'\n$(b)\nE", "a …"), ("a <<E\n\\", "a …"),
        ("$'rm' $'a\\'b'", "?rm_a'b …"), ("$'\\x72\\155' $'\\u00e9\\n'", "?rm_é\n …"), ("a $'b", "?a_b …"), ("a$'b'c", "?abc …"),
        ("$\"a\" b", "?a_b …"), ("a $'\\", "?a_\\ …"),
    ]) func isRead(_ text: String, _ expected: String) { #expect(told(text) == expected, "\(text)") }

    /// What `$x` and `$1` stand for comes on top of what is written; `x`, `a`, `b c` are what follows the text.
    @Test(arguments: [
        ("x=a; $x b", "?$x_b ?a_b …"), ("x='a b'; $x", "?$x ?a_b …"), ("x='a b'; \"$x\"", "?$x ?a b …"), ("x=a; ${x}b", "?${x}b ?ab …"),
        ("x=a y=$x; $y", "?$y ?a …"), ("x='a b' y=$x; \"$y\"", "?$y ?a b …"), ("export x=a; $x", "?$x ?a …"), ("x=a b; c $y", "b ?c_$y …"),
        ("x=$(a); $x", "?a ?$x …"), ("x=a; x=b; $x", "?$x ?b …"), ("x=; a $x b", "?a_$x_b ?a_b …"),
        ("x=a; b \"$(c $x)\"", "?b_$ ?c_$x ?c_a …"),
        ("x=a; '$x'", "$x"), ("x=a; ${x%b}", "?${x%b} …"), ("x=a; echo \\$x", "echo_$x"), ("$0 $1 $2", "?$0_$1_$2 ?x_a_b_c …"),
        ("\"$@\"", "?$@ ?a_b c …"), ("$*", "?$* ?a_b_c …"), ("\"$*\"", "?$* ?a b c …"), ("e \"$1\" ${2}", "?e_$1_${2} ?e_a_b_c …"),
        ("$3", "?$3 …"), ("$10", "?$10 ?a0 …"), ("a $x > $1", "?a_$x …"),
    ]) func valuesAreFilledIn(_ text: String, _ expected: String) {
        let script = ShellText.read(Array(text.utf8)[...], given: ["x", "a", "b c"].map { Array($0.utf8) })
        #expect(told(script) == expected, "\(text)")
    }

    /// Values are made of values: there is an end to that.
    @Test func valuesDoNotGrowForEver() {
        let text = "x=aa;" + String(repeating: "x=$x$x;", count: 64) + "$x"
        #expect(ShellText.read(Array(text.utf8)[...]).commands.allSatisfy { $0.words.joined().count <= 1 << 17 })
    }

    @Test(arguments: [
        ("A=b c; D=e", "A=b"), ("export A=b; c", "A=b"), ("A=b", ""), ("c \"$(A=b d)\"", "A=b"), ("echo A=b", ""),
        ("x=y; A=$x c", "A=$x A=y"),
    ]) func variablesOfCommands(_ text: String, _ expected: String) {
        let found = ShellText.read(Array(text.utf8)[...]).variables
        #expect(found.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ") == expected, "\(text)")
    }

    /// What programs of other languages hand to a shell, one after the other.
    @Test(arguments: [
        (CommandsInside.awk, "{system(\"a \" $1 \" b\")}", "a {} b"), (.awk, "BEGIN{while((\"a\"|getline x)>0)y; \"b\" | getline}", "a|b"),
        (.awk, "{print \"x\" | \"a\"; print $1 |& \"b\"}", "a|b"), (.awk, "/\"a\"|getline/{print \"system(b)\"} # system(\"c\")", ""),
        (.awk, "$1/2 {x[\"a\"] = \"b\" \"c\"} $2 || \"d\"", ""), (.awk, "{system(\"a\\\"b\") system(x)}", "a\"b"), (.awk, "{system(", ""),
        (.awk, "{system(sprintf(\"a %s\", $1))}", "a %s"),
        (.sed, "1e a b\ns/x/c/ge", "a b|c"), (.sed, "e", ""), (.sed, "/e/s/e a/b/;y/e/f/;ta", ""),
        (.sed, "a e b\nw e c\n# e d\n$!e f", "f"),
        (.sed, "s,a\\,b,c,e;\\,e x,d", "c"), (.sed, "i\\\ne a", ""), (.sed, "s/a", ""), (.sed, "s", ""),
        (.lines, "[\"a \\\"b\\\"\", \"c\"]", "a \"b\"\nc\n"), (.lines, "a \"b\"", "a \"b\""), (.lines, "[\"a", "a"),
    ]) func insideOtherLanguages(_ language: CommandsInside, _ text: String, _ expected: String) {
        let found = language.texts(in: Array(text.utf8)[...]).map { String(decoding: $0, as: UTF8.self) }
        #expect(found.joined(separator: "|") == expected, "\(text)")
    }

    /// What the last command of a text reads, where the text says it; `?` where it does not.
    @Test(arguments: [
        ("echo a b | x", "a b\n"), ("echo -n a | x", "?"), ("printf a | x", "a"), ("printf '%s' 'a b' c | x", "a bc"),
        ("printf '%s\\n' a b | x", "a\nb\n"), ("printf 'a\\n' | x", "?"), ("printf %d 1 | x", "?"), ("echo $a | x", "?"),
        ("x <<< a", "a\n"), ("cat <<< a | x", "a\n"), ("x <<E\na\nE", "a\n"), ("cat <<E | x\na\nE", "a\n"),
        ("cat <<'E' | x -y\n$a\nE", "$a\n"),
        ("cat <<E | x\n$a\nE", "?"), ("cat a <<E | x\na\nE", "?"), ("cat <<E; true | x\na\nE", "?"), ("cat <<E | y | x\na\nE", "?"),
        ("cat a | x", "?"),
    ]) func isGiven(_ text: String, _ expected: String) {
        var given = "?"
        if case .text(let bytes) = ShellText.read(Array(text.utf8)[...]).commands.last?.input {
            given = String(decoding: bytes, as: UTF8.self)
        }
        #expect(given == expected, "\(text)")
    }

    /// Where each command is started, seen from where the shell begins.
    @Test(arguments: [
        ("a", ""), ("cd x && a; b", "x x"), ("cd x; cd y; a", "x/y"), ("cd x; cd /y; a", "/y"), ("cd; a", "~"), ("cd ~/x && a", "~/x"),
        ("cd -- x; a", "x"), ("cd -; a", ""), ("cd $x && a", ""), ("cd x y; a", ""), ("(cd x; a); b", "x "), ("a $(cd x; b); c", " x "),
        ("cd x | a", ""), ("pushd x; a", "x"), ("if cd x; then a; fi", "x"), ("cd x || exit\na", "x"), ("echo cd x; a", " "),
        ("{ cd x; a; }", "x"), ("cd 'a b' && c", "a b"),
    ]) func folders(_ text: String, _ expected: String) {
        let commands = ShellText.read(Array(text.utf8)[...]).commands
        #expect(commands.map { String(decoding: $0.folder, as: UTF8.self) }.joined(separator: " ") == expected, "\(text)")
    }

    /// Whatever the bytes, it ends, and soon; what is literal is made of bytes that stand there.
    @Test func noiseIsRead() {
        var random = SystemRandomNumberGenerator()
        let pieces = [
            "a", "rm", " ", "\n", ";", "'", "\"", "$(", ")", "`", "<<", "E", "\\", "{", "}", "&", "|", "#", "=", "for", ">", "(", "$", "é",
        ]
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0..<30, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            let script = ShellText.read(Array(text.utf8)[...])
            for command in script.commands {
                #expect(!command.words.isEmpty)
                if command.isLiteral { #expect(command.words.allSatisfy { $0.count <= text.utf8.count }) }
            }
        }
        for dear in ["\"$(", "$(", "`", "<<E\n", "'a' ", "(", "a;", "\\\n", "a=", "\"a\" ", "cd x;", "cd x;(", "cd x>y;"] {
            _ = ShellText.read(Array(String(repeating: dear, count: 200_000).utf8)[...])
        }
    }

    @Test(arguments: [
        ("a > f 2>&1 < g >> h", "write_f read_g write_h"), ("a 2>/dev/null >&2 <&- >&-", "write_/dev/null"),
        ("a &> f; b >| g", "write_f write_g"),
        ("> ~/x", "write_~/x"), ("a > $x > *.c", ""), ("a '>' f", ""), ("echo '> f'", ""), ("a > 'b c'", "write_b c"),
        ("a <> f", "write_f"),
        ("a <<< f", ""), ("cat <<E > f\n> g\nE", "write_f"), ("a >& f", "write_f"), ("x=$(a > f)", "write_f"),
        ("echo \"$(a > f)\"", "write_f"),
        ("a >", ""), ("test 1 \\> 2", ""), ("cd x && a > y", "write_x/y"), ("cd x && a > /y", "write_/y"), ("(cd x); a > y", "write_y"),
    ]) func redirections(_ text: String, _ expected: String) {
        let found = ShellText.read(Array(text.utf8)[...]).touches.map { $0.touch.rawValue + "_" + String(decoding: $0.path, as: UTF8.self) }
        #expect(found.joined(separator: " ") == expected, "\(text)")
    }
}
