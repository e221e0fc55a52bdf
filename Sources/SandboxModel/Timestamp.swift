/// Times as the trail shows and takes them: nanoseconds since 1970 UTC in, RFC 3339 out.
package enum Timestamp {
    /// `2026-11-20T10:00:00.123456Z`.
    package static func text(_ nanoseconds: UInt64) -> String {
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let (days, second) = Int(seconds).quotientAndRemainder(dividingBy: 86_400)
        let (year, month, day) = civil(fromDays: days)
        var text: [UInt8] = []
        text.reserveCapacity(28)
        func put(_ value: Int, _ width: Int, _ end: Unicode.Scalar) {
            var power = 1
            for _ in 1..<width { power *= 10 }
            while power > 0 {
                text.append(UInt8(ascii: "0") + UInt8(value / power % 10))
                power /= 10
            }
            text.append(UInt8(ascii: end))
        }
        put(year, 4, "-")
        put(month, 2, "-")
        put(day, 2, "T")
        put(second / 3600, 2, ":")
        put(second / 60 % 60, 2, ":")
        put(second % 60, 2, ".")
        put(Int(rest / 1000), 6, "Z")
        return String(decoding: text, as: UTF8.self)
    }

    /// `2m 3.4s`, `812 ms`, `3d 4h`: how long something took, for people.
    package static func duration(_ nanoseconds: UInt64) -> String {
        let milliseconds = nanoseconds / 1_000_000
        let seconds = milliseconds / 1000
        switch seconds {
        case 0: return "\(milliseconds) ms"
        case 1..<60: return "\(seconds).\(milliseconds % 1000 / 100) s"
        case 60..<3600: return "\(seconds / 60)m \(seconds % 60)s"
        case 3600..<86_400: return "\(seconds / 3600)h \(seconds / 60 % 60)m"
        default: return "\(seconds / 86_400)d \(seconds / 3600 % 24)h"
        }
    }

    /// What `--since` and `--until` take: an RFC 3339 time, a date alone, or `90s 10m 2h 7d` before `now`.
    package static func parse(_ text: String, now: UInt64) -> UInt64? {
        if let ago = parseDuration(text) { return now > ago ? now - ago : 0 }
        return parseTime(Array(text.utf8))
    }

    /// `90s 10m 2h 7d` in nanoseconds.
    package static func parseDuration(_ text: String) -> UInt64? {
        let unit: UInt64
        switch text.utf8.last {
        case UInt8(ascii: "s"): unit = 1
        case UInt8(ascii: "m"): unit = 60
        case UInt8(ascii: "h"): unit = 3600
        case UInt8(ascii: "d"): unit = 86_400
        default: return nil
        }
        guard let first = text.utf8.first, isDigit(first), let count = UInt64(text.dropLast()) else { return nil }
        let (seconds, tooLong) = count.multipliedReportingOverflow(by: unit)
        let (result, tooLongAgain) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return tooLong || tooLongAgain ? nil : result
    }

    private static func parseTime(_ bytes: [UInt8]) -> UInt64? {
        var text = Scanner(bytes: bytes)
        guard let year = text.number(4), text.skip("-"), let month = text.number(2), text.skip("-"),
            let day = text.number(2), (1970...2500).contains(year), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        var seconds = days(fromCivil: year, month, day) * 86_400
        var fraction = 0
        if !text.atEnd {
            guard text.skip("T") || text.skip("t") || text.skip(" "), let hour = text.number(2), text.skip(":"),
                let minute = text.number(2), text.skip(":"), let second = text.number(2),
                hour < 24, minute < 60, second <= 60
            else { return nil }
            seconds += hour * 3600 + minute * 60 + second
            if text.skip(".") {
                guard let digits = text.fraction() else { return nil }
                fraction = digits
            }
            guard let offset = text.zone(), text.atEnd else { return nil }
            seconds -= offset
        }
        return seconds < 0 ? nil : UInt64(seconds) * 1_000_000_000 + UInt64(fraction)
    }

    // MARK: The calendar (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms")

    private static func civil(fromDays days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let part = (5 * dayOfYear + 2) / 153
        let month = part < 10 ? part + 3 : part - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * part + 2) / 5 + 1)
    }

    private static func days(fromCivil year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = year / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    fileprivate static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}

private struct Scanner {
    let bytes: [UInt8]
    var at = 0
    var atEnd: Bool { at == bytes.count }

    mutating func skip(_ scalar: Unicode.Scalar) -> Bool {
        guard at < bytes.count, bytes[at] == UInt8(ascii: scalar) else { return false }
        at += 1
        return true
    }

    mutating func number(_ width: Int) -> Int? {
        guard at + width <= bytes.count else { return nil }
        var value = 0
        for byte in bytes[at..<at + width] {
            guard Timestamp.isDigit(byte) else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        at += width
        return value
    }

    /// The digits after the point, as nanoseconds; what is finer is dropped.
    mutating func fraction() -> Int? {
        var value = 0
        var count = 0
        while at < bytes.count, Timestamp.isDigit(bytes[at]) {
            if count < 9 { value = value * 10 + Int(bytes[at] - UInt8(ascii: "0")) }
            count += 1
            at += 1
        }
        guard count > 0 else { return nil }
        for _ in 0..<max(0, 9 - count) { value *= 10 }
        return value
    }

    /// `Z` or `+02:00`, in seconds east of UTC.
    mutating func zone() -> Int? {
        if skip("Z") || skip("z") { return 0 }
        let sign = skip("+") ? 1 : skip("-") ? -1 : 0
        guard sign != 0, let hours = number(2), skip(":"), let minutes = number(2), hours < 24, minutes < 60 else {
            return nil
        }
        return sign * (hours * 3600 + minutes * 60)
    }
}
