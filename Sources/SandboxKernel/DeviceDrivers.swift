internal import CShims
internal import Glibc

/// Drivers of character devices whose numbers each machine gives out for itself (proc(5), `/proc/devices`).
enum DeviceDrivers {
    /// Disks and memory by other names than their block devices'; a disk behind USB; keyboards; what starts the machine anew.
    private static let names: Set<String> = [
        "bsg", "nvme", "nvme-generic", "mtd", "dax", "ndctl", "dimmctl", "vfio", "megaraid_sas_ioctl", "vduse", "ublk-char",
        "usb_device", "hidraw", "watchdog",
    ]

    /// Major numbers, as they are when they are asked for first.
    static let raw: Set<UInt64> = {
        let text = PathBuffer()
        let file = sbx_openat(At.workingDirectory, "/proc/devices", O_RDONLY | Flag.closeOnExec, 0)
        guard file >= 0 else { return [] }
        defer { _ = sbx_close(file) }
        text.setCount(max(Int(sbx_read(file, text.base, 4096)), 0))
        var numbers: Set<UInt64> = []
        for line in String(decoding: text.bytes, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, names.contains(String(words[1])), let major = UInt64(words[0]) { numbers.insert(major) }
        }
        return numbers
    }()
}
