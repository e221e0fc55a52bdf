/// Places whose contents run later, by themselves or by somebody else's hand: `proc.persist`. And those whose settings name
/// programs for git to run: `git.config_exec`.
package enum PersistentPlaces {
    private static let folders = [
        "/etc/cron.d/", "/etc/cron.hourly/", "/etc/cron.daily/", "/etc/cron.weekly/", "/etc/cron.monthly/", "/var/spool/cron/",
        "/var/spool/at/", "/etc/systemd/", "/usr/lib/systemd/", "/lib/systemd/", "/run/systemd/", "/etc/init.d/", "/etc/profile.d/",
        "/etc/rc.d/", "/etc/xdg/autostart/", "/etc/pam.d/", "/etc/sudoers.d/", "/etc/ld.so.conf.d/", "/etc/udev/rules.d/",
        "/etc/update-motd.d/", "/etc/zsh/", "/etc/fish/",
    ]
    private static let files = [
        "/etc/crontab", "/etc/anacrontab", "/etc/inittab", "/etc/rc.local", "/etc/profile", "/etc/bash.bashrc", "/etc/bashrc",
        "/etc/environment", "/etc/sudoers", "/etc/ld.so.preload", "/etc/zshenv", "/etc/zshrc", "/etc/zprofile",
    ]
    /// Wherever they lie: whose home it is, nobody knows.
    private static let parts = [
        "/.config/systemd/", "/.local/share/systemd/", "/.config/autostart/", "/.config/fish/", "/.git/hooks/", "/.config/environment.d/",
    ]
    private static let names = [
        "/.bashrc", "/.bash_profile", "/.bash_login", "/.bash_logout", "/.profile", "/.zshrc", "/.zshenv", "/.zprofile", "/.zlogin",
        "/.zlogout", "/.cshrc", "/.tcshrc", "/.login", "/.kshrc", "/.ssh/authorized_keys", "/.ssh/authorized_keys2", "/.ssh/rc",
        "/.pam_environment", "/.xinitrc", "/.xprofile", "/.xsession", "/.xsessionrc", "/.inputrc",
    ]
    private static let gitSettings = ["/.gitconfig", "/.git/config", "/.git/config.worktree", "/.config/git/config", "/.gitmodules"]

    /// Of a file that is changed at this path, resolved.
    package static func intents(of path: some Collection<UInt8>) -> IntentSet {
        let bytes = Array(path)
        var set: IntentSet = []
        if folders.contains(where: { bytes.starts(with: $0.utf8) }) || files.contains(where: { bytes.elementsEqual($0.utf8) })
            || names.contains(where: { ends(bytes, $0) }) || parts.contains(where: { holds(bytes, $0) })
        {
            set.insert(.procPersist)
        }
        if gitSettings.contains(where: { ends(bytes, $0) }) || bytes.elementsEqual("/etc/gitconfig".utf8) { set.insert(.gitConfigExec) }
        return set
    }

    private static func ends(_ bytes: [UInt8], _ end: String) -> Bool { bytes.suffix(end.utf8.count).elementsEqual(end.utf8) }

    private static func holds(_ bytes: [UInt8], _ part: String) -> Bool {
        let part = Array(part.utf8)
        guard bytes.count >= part.count else { return false }
        return (0...bytes.count - part.count).contains { bytes[$0..<$0 + part.count].elementsEqual(part) }
    }
}
