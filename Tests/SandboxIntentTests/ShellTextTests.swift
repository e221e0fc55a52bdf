import SandboxModel
import Testing
@testable import SandboxIntent

/// Shell text as far as it can be told before it runs.
@Suite struct ShellTextTests {
    /// The commands, with `?` before one that is not literal; `…` at the end where there may be more.
    private func told(_ text: String) -> String {
        let script = ShellText.read(Array(text.utf8)[...])
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
