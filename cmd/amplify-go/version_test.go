package main

import (
	"runtime/debug"
	"testing"
)

func TestVersion(t *testing.T) {
	commit := []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: "4f5e1c"}}
	for _, test := range []struct {
		main     string
		settings []debug.BuildSetting
		want     string
	}{
		{"v0.1.0", nil, "v0.1.0"},
		{"v0.1.1-0.20261201120000-4f5e1c000000+dirty", commit, "v0.1.1-0.20261201120000-4f5e1c000000+dirty"},
		{"(devel)", commit, "(devel) 4f5e1c"},
		{"(devel)", nil, "(devel)"},
		{"", nil, "(devel)"},
	} {
		info := &debug.BuildInfo{Main: debug.Module{Version: test.main}, Settings: test.settings}
		if got := versionOf(info); got != test.want {
			t.Errorf("%q, %v: %q, want %q", test.main, test.settings, got, test.want)
		}
	}
}
