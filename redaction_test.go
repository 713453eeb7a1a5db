package amplify_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"text/template"
	"unsafe"

	"github.com/amplify-go/amplify"
)

const classified = "s3cr3t-text-that-must-not-leak"

// holders returns values that hold the secret text in every way that a program might.
func holders() map[string]any {
	secret := amplify.NewSecret(classified)
	token := amplify.NewToken("header."+classified+".signature", &amplify.Claims{Username: "alice"})
	type unexported struct {
		secret amplify.Secret
		token  *amplify.Token
		copied amplify.Token
	}
	type exported struct {
		Secret amplify.Secret
		Token  *amplify.Token
		Any    any
		Copied amplify.Token
	}
	session := &amplify.Tokens{AccessToken: token, IDToken: token}
	return map[string]any{
		"secret":             secret,
		"pointer":            &secret,
		"token":              token,
		"copied token":       *token,
		"token pointer":      &token,
		"unexported":         unexported{secret, token, *token},
		"unexported pointer": &unexported{secret, token, *token},
		"exported":           exported{secret, token, secret, *token},
		"nested":             map[string]any{"a": []any{unexported{secret, token, *token}, &exported{secret, token, token, *token}}},
		"map":                map[string]amplify.Secret{"a": secret},
		"slice":              []amplify.Secret{secret},
		"array":              [1]amplify.Secret{secret},
		"tokens":             session,
		"tokens value":       *session,
		"credentials":        amplify.Credentials{SecretAccessKey: secret, SessionToken: secret},
		"config": amplify.Config{
			Data:  &amplify.DataConfig{APIKey: secret},
			Other: map[string]any{"API": map[string]any{"Events": map[string]any{"apiKey": secret}}},
		},
		"providers": amplify.Providers{Tokens: fixedTokens{session}},
		"error":     &amplify.Error{Name: "E", Err: fmt.Errorf("with %v and %w", secret, errors.New("cause"))},
	}
}

// fixedTokens is a token provider that always gives the same.
type fixedTokens struct{ tokens *amplify.Tokens }

func (f fixedTokens) Tokens(context.Context, amplify.TokensInput) (*amplify.Tokens, error) {
	return f.tokens, nil
}

// TestRedactionByVerb prints secrets by every verb and flag that package fmt knows, and some that
// it does not.
func TestRedactionByVerb(t *testing.T) {
	for name, v := range holders() {
		for _, flags := range []string{"", "+", "#", "-", " ", "0", "+#", "# ", "10", ".3", "+10.40"} {
			for verb := rune('A'); verb <= 'z'; verb++ {
				if verb > 'Z' && verb < 'a' {
					continue
				}
				format := "%" + flags + string(verb)
				got := fmt.Sprintf(format, v)
				noLeak(t, name+" by "+format, got)
				noLeak(t, name+" wrapped by "+format, fmt.Sprintf(format, []any{v}))
				noLeak(t, name+" in an error by "+format, fmt.Errorf(format, v).Error())
			}
		}
		noLeak(t, name+" by Sprint", fmt.Sprint(v, []any{v}))
		noLeak(t, name+" by Sprintln", fmt.Sprintln(v))
	}
	for _, verb := range []string{"%v", "%s", "%q", "%x", "%#v", "%+v", "%d"} {
		if got := fmt.Sprintf(verb, amplify.NewSecret(classified)); got != "[redacted]" {
			t.Errorf("%s prints %q", verb, got)
		}
	}
}

func TestRedactionByEncoder(t *testing.T) {
	encoders := map[string]func(any) (string, error){
		"json": func(v any) (string, error) { b, err := json.Marshal(v); return string(b), err },
		"xml":  func(v any) (string, error) { b, err := xml.Marshal(v); return string(b), err },
		"gob": func(v any) (string, error) {
			var b bytes.Buffer
			err := gob.NewEncoder(&b).Encode(v)
			return b.String(), err
		},
		"slog text": func(v any) (string, error) {
			var b bytes.Buffer
			slog.New(slog.NewTextHandler(&b, nil)).Info("m", "v", v, slog.Group("g", slog.Any("v", v)))
			return b.String(), nil
		},
		"slog json": func(v any) (string, error) {
			var b bytes.Buffer
			slog.New(slog.NewJSONHandler(&b, nil)).Info("m", "v", v, slog.Group("g", slog.Any("v", v)))
			return b.String(), nil
		},
		"template": func(v any) (string, error) {
			var b bytes.Buffer
			err := template.Must(template.New("").Parse(`{{.}} {{printf "%#v" .}}`)).Execute(&b, v)
			return b.String(), err
		},
		"reflection": func(v any) (string, error) {
			var b strings.Builder
			dump(&b, reflect.ValueOf(v), 0)
			return b.String(), nil
		},
	}
	for encoder, encode := range encoders {
		for name, v := range holders() {
			got, err := encode(v)
			noLeak(t, name+" by "+encoder, got)
			if err != nil {
				noLeak(t, name+" by "+encoder+", its error", err.Error())
			}
		}
	}
	if got, err := json.Marshal(amplify.NewSecret(classified)); err != nil || string(got) != `"[redacted]"` {
		t.Errorf("json: %s, %v", got, err)
	}
	if got, err := json.Marshal(map[string]*amplify.Token{"a": amplify.NewToken(classified, &amplify.Claims{})}); err != nil || string(got) != `{"a":"[redacted]"}` {
		t.Errorf("json: %s, %v", got, err)
	}
	// Sessions without an ID token are logged too.
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Info("m", "token", (*amplify.Token)(nil))
	if strings.Contains(b.String(), "PANIC") || strings.Contains(b.String(), "panicked") {
		t.Errorf("a nil token is logged as %s", b.String())
	}
}

// TestDumpSeesStrings shows that the dumper of these tests would find a text behind unexported
// fields and pointers.
func TestDumpSeesStrings(t *testing.T) {
	type hidden struct{ p *struct{ s string } }
	var b strings.Builder
	dump(&b, reflect.ValueOf(hidden{&struct{ s string }{classified}}), 0)
	if !strings.Contains(b.String(), classified) {
		t.Fatal("the dumper does not see unexported fields")
	}
}

// dump writes what reflection can see of v, unexported fields and what pointers point to
// included, and calls methods where it can, as debugging dumpers do.
func dump(b *strings.Builder, v reflect.Value, depth int) {
	if !v.IsValid() || depth > 12 {
		return
	}
	if !v.CanInterface() && v.CanAddr() {
		v = reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
	}
	if v.CanInterface() {
		if s, ok := v.Interface().(fmt.Stringer); ok && (v.Kind() != reflect.Pointer || !v.IsNil()) {
			fmt.Fprintln(b, s.String())
		}
	}
	switch v.Kind() {
	case reflect.String:
		fmt.Fprintln(b, v.String())
	case reflect.Pointer, reflect.Interface:
		dump(b, v.Elem(), depth+1)
	case reflect.Struct:
		copied := reflect.New(v.Type()).Elem()
		if v.CanInterface() {
			copied.Set(v)
			v = copied
		}
		for i := range v.NumField() {
			dump(b, v.Field(i), depth+1)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			dump(b, v.Index(i), depth+1)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			dump(b, key, depth+1)
			dump(b, v.MapIndex(key), depth+1)
		}
	}
}

func noLeak(t *testing.T, what, got string) {
	t.Helper()
	if hex := fmt.Sprintf("%x", classified); strings.Contains(got, classified) ||
		strings.Contains(strings.ToLower(got), hex) || strings.Contains(got, fmt.Sprint([]byte(classified))) {
		t.Errorf("%s leaks: %.200s", what, got)
	}
}

func TestSecret(t *testing.T) {
	var zero amplify.Secret
	if !zero.IsZero() || zero.Reveal() != "" || !zero.Equal(amplify.NewSecret("")) || !amplify.NewSecret("").IsZero() {
		t.Error("the zero value is not the empty secret")
	}
	a := amplify.NewSecret(classified)
	if a.IsZero() || a.Reveal() != classified || !a.Equal(amplify.NewSecret(classified)) || a.Equal(amplify.NewSecret("b")) || a.Equal(zero) {
		t.Error("a secret is not its text")
	}
}
