package amplify_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/amplify-go/amplify"
)

// TestNoToken: sessions of bearer tokens have no ID token. Whoever uses it all the same gets no
// claims and an error, and no panic.
func TestNoToken(t *testing.T) {
	for name, token := range map[string]*amplify.Token{
		"nil":            amplify.Tokens{}.IDToken,
		"zero":           {},
		"without claims": amplify.NewToken("x", nil),
	} {
		if got := token.Claims(); !reflect.DeepEqual(got, amplify.Claims{}) {
			t.Errorf("%s: claims %+v", name, got)
		}
		if got := token.Reveal(); got != "" && name != "without claims" {
			t.Errorf("%s: text %q", name, got)
		}
		var claims map[string]any
		if err := token.Decode(&claims); err == nil || claims != nil {
			t.Errorf("%s: decoded %v, %v", name, claims, err)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			if got := sprintf(verb, token); got != "[redacted]" {
				t.Errorf("%s: %s prints %q", name, verb, got)
			}
		}
		text, err := token.MarshalText()
		json, jsonErr := token.MarshalJSON()
		if string(text) != token.String() || string(json) != `"`+token.GoString()+`"` || err != nil || jsonErr != nil {
			t.Errorf("%s: marshalled to %s, %v and %s, %v", name, text, err, json, jsonErr)
		}
		if got := token.LogValue().String(); got != "[redacted]" {
			t.Errorf("%s: logged as %q", name, got)
		}
	}
	if err := (*amplify.Token)(nil).Decode(new(any)); !strings.Contains(err.Error(), "no token") {
		t.Errorf("the error says %q", err)
	}
}
