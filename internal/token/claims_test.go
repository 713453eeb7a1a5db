package token

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
)

// FuzzClaims: claims come from the members of exactly their names, and from nothing else.
func FuzzClaims(f *testing.F) {
	for _, seed := range []string{
		`{"sub":"s","iss":"i","token_use":"access","client_id":"c","username":"u",
			"scope":"a b","exp":1,"iat":1.5,"cognito:groups":["g"]}`,
		`{"sub":"s","token_use":"id","aud":"c","cognito:username":"u",
			"email":"a@b.com","nbf":7,"auth_time":1e9}`,
		`{"Sub":"s","SUB":"t","ſub":"u","token_use":"id","Cognito:Username":"admin"}`,
		`{"sub":"s","sub":"t"}`, `{"exp":1e300}`, `{"exp":-1}`, `{"exp":"1"}`,
		`{"aud":["a","b"],"token_use":"id"}`, `{"sub":null}`, `{"exp":null}`, `{"x":1e700}`,
		`{}`, `[]`, `null`, `1`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		var c Payload
		if json.Unmarshal(payload, &c) != nil {
			return
		}
		var all map[string]any
		decoder := json.NewDecoder(bytes.NewReader(payload))
		decoder.UseNumber() // a claim that nothing reads may be a number that no float64 holds
		if err := decoder.Decode(&all); err != nil {
			t.Fatalf("claims of what is no object: %v", err)
		}
		names := map[string]string{
			"sub": c.Subject, "iss": c.Issuer, "token_use": c.TokenUse,
			"name": c.Name, "email": c.Email,
		}
		if c.TokenUse == UseID {
			names["aud"], names["cognito:username"] = c.ClientID, c.Username
		} else {
			names["client_id"], names["username"] = c.ClientID, c.Username
		}
		for name, got := range names {
			if want, _ := all[name].(string); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if year := c.ExpiresAt.UTC().Year(); year > 9999 ||
			c.ExpiresAt.IsZero() != (all["exp"] == nil) {
			t.Errorf("exp %v is %v", all["exp"], c.ExpiresAt)
		}
	})
}

func TestNumericDate(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1700000000": 1700000000, "1700000000.9": 1700000000, "1.7e9": 1700000000,
	} {
		var d numericDate
		if err := json.Unmarshal([]byte(text), &d); err != nil || time.Time(d).Unix() != want {
			t.Errorf("%s is %v, %v", text, time.Time(d), err)
		}
	}
	for _, text := range []string{`-1`, `253402300800`, `1e700`, `"1700000000"`, `true`} {
		if err := json.Unmarshal([]byte(text), new(numericDate)); err == nil {
			t.Errorf("%s is a time", text)
		}
	}
	var absent numericDate
	if err := absent.UnmarshalJSON([]byte("null")); err != nil || !time.Time(absent).IsZero() {
		t.Errorf("null is %v, %v; want no time", time.Time(absent), err)
	}
}
