package cognito

import (
	"testing"
	"unsafe"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/testpool"
)

// TestCallsKeepNoRequestMemory: what goes on when a request has ended has copies of its texts.
func TestCallsKeepNoRequestMemory(t *testing.T) {
	pool := testpool.New(t)
	app, err := amplify.New(pool.Config(), pool.Options())
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(app, Options{})
	if err != nil {
		t.Fatal(err)
	}
	token, device := "refresh-token", "device-key"
	r := c.newRedemption(&session{}, token, device, amplify.TokensInput{})
	f := c.newEndedSession(nil, []string{token})
	for name, texts := range map[string][2]string{
		"refresh token": {token, r.refreshToken}, "device key": {device, r.deviceKey}, "token to revoke": {token, f.refreshTokens[0]},
	} {
		if texts[0] != texts[1] || unsafe.StringData(texts[0]) == unsafe.StringData(texts[1]) {
			t.Errorf("%s: the very memory of the request", name)
		}
	}
}
