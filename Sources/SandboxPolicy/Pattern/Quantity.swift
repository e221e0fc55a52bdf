/// Sizes and durations as profiles write them.
enum Quantity {
    private static let sizes: [(String, UInt64)] = [
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
        ("kB", 1000), ("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000), ("B", 1),
    ]
    private static let times: [(String, UInt64)] = [
        ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
        ("h", 3_600_000_000_000), ("d", 86_400_000_000_000),
    ]

    /// Bytes: `4096`, `512MiB`, `2GB`.
    static func bytes(_ text: String) throws(PatternProblem) -> UInt64 {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        let factor = unit.isEmpty ? 1 : sizes.first { $0.0 == unit }?.1
        guard let number = UInt64(digits), let factor else {
            throw PatternProblem("bad size `\(text)`", help: sizeHelp(digits, unit))
        }
        let (value, overflow) = number.multipliedReportingOverflow(by: factor)
        guard !overflow, value > 0, value <= UInt64(Int64.max) else { throw PatternProblem("the size `\(text)` is out of range") }
        return value
    }

    private static func sizeHelp(_ digits: Substring, _ unit: Substring) -> String {
        let plain = ["k": "KiB", "m": "MiB", "g": "GiB", "t": "TiB"]
        if !digits.isEmpty, let first = unit.first, let known = plain[first.lowercased()] {
            return "did you mean `\(digits)\(known)`?"
        }
        return "a number of bytes, or with `KiB`, `MiB` or `GiB`, such as `2GiB`"
    }

    /// Nanoseconds: `90s`, `10m`, `2h`, `7d`, `1h30m`.
    static func nanoseconds(_ text: String) throws(PatternProblem) -> UInt64 {
        let help = "a number with `s`, `m`, `h` or `d`, such as `10m`"
        var rest = text[...]
        var total: UInt64 = 0
        repeat {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            let unit = rest.dropFirst(digits.count).prefix { $0.isLetter }
            guard let number = UInt64(digits), let factor = times.first(where: { $0.0 == unit })?.1 else {
                throw PatternProblem("bad duration `\(text)`", help: help)
            }
            let (part, overflow) = number.multipliedReportingOverflow(by: factor)
            let (sum, carry) = total.addingReportingOverflow(part)
            guard !overflow, !carry, sum <= UInt64(Int64.max) else { throw PatternProblem("the duration `\(text)` is out of range") }
            total = sum
            rest = rest.dropFirst(digits.count + unit.count)
        } while !rest.isEmpty
        guard total > 0 else { throw PatternProblem("the duration `\(text)` is zero") }
        return total
    }

    static func count(_ text: String, upTo limit: UInt64) throws(PatternProblem) -> UInt64 {
        guard let number = UInt64(text), text.first != "+", number > 0, number <= limit else {
            throw PatternProblem("bad number `\(text)`", help: "a whole number from 1 to \(limit)")
        }
        return number
    }
}
