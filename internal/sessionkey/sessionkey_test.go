package sessionkey

import "testing"

func TestNames(t *testing.T) {
	if got, want := Prefix("c1"), "CognitoIdentityServiceProvider.c1."; got != want {
		t.Errorf("Prefix: got %q, want %q", got, want)
	}
	const pool = "eu-west-1:1-2"
	if got, want := Identity(pool), "com.amplify.Cognito.eu-west-1:1-2.identityId"; got != want {
		t.Errorf("Identity: got %q, want %q", got, want)
	}
}

func TestSplit(t *testing.T) {
	for name, want := range map[string]struct {
		user, key string
		ok        bool
	}{
		"alice.accessToken":               {"alice", AccessToken, true},
		"a.b@c.test.idToken":              {"a.b@c.test", IDToken, true},
		"x.accessToken.deviceKey":         {"x.accessToken", DeviceKey, true},
		"alice.":                          {"alice", "", true},
		LastAuthUser:                      {},
		"":                                {},
		".accessToken":                    {},
		"..accessToken":                   {".", AccessToken, true},
		"alice.hostedUI.x.oauthMetadata.": {"alice.hostedUI.x.oauthMetadata", "", true},
	} {
		user, key, ok := Split(name)
		if user != want.user || key != want.key || ok != want.ok {
			t.Errorf("Split(%q) = %q, %q, %v, want %v", name, user, key, ok, want)
		}
	}
}

func TestKinds(t *testing.T) {
	p := Prefix("c")
	for key, want := range map[string]struct{ session, device bool }{
		p + LastAuthUser:                  {session: true},
		p + "alice." + AccessToken:        {session: true},
		p + "alice." + IDToken:            {session: true},
		p + "alice." + RefreshToken:       {session: true},
		p + "alice." + DeviceKey:          {device: true},
		"alice." + DeviceGroupKey:         {device: true},
		p + "a.b." + RandomPasswordKey:    {device: true},
		p + "alice." + ClockDrift:         {},
		p + "alice." + SignInDetails:      {},
		p + "alice." + OAuthMetadata:      {},
		p + "alice." + OIDCProvider:       {},
		p + "x." + AccessToken + ".":      {},
		p + "alice.accesstoken":           {},
		AccessToken:                       {},
		DeviceKey:                         {},
		"":                                {},
		Identity("eu-west-1:11111111-22"): {},
	} {
		if got := IsSession(key); got != want.session {
			t.Errorf("IsSession(%q) = %v", key, got)
		}
		if got := IsDevice(key); got != want.device {
			t.Errorf("IsDevice(%q) = %v", key, got)
		}
	}
}
