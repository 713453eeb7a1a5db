package e2e

import (
	"os"
	"testing"
)

// browser is started once, by the first test that needs it.
var browser chromium

func TestMain(m *testing.M) {
	code := m.Run()
	browser.close()
	os.Exit(code)
}
