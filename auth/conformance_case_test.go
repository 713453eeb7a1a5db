package auth_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cookie"
	"github.com/amplify-go/amplify/internal/conformance"
)

// recordedCase is a case of session.json as the rules look at it. Tokens are placeholders in it.
type recordedCase struct {
	conformance.Case
	in struct {
		sessionInput
		CookieHeader string                           `json:"cookieHeader"`
		Tokens       map[string]conformance.TokenSpec `json:"tokens"`
	}
}

func recorded(c conformance.Case) *recordedCase {
	r := &recordedCase{Case: c}
	if err := json.Unmarshal(c.Input, &r.in); err != nil {
		panic(err)
	}
	return r
}

// carried returns the cookies that the request carries, in the order of their decoded names.
func (r *recordedCase) carried() (pairs [][2]string) {
	for name, value := range cookie.Parse([]string{r.in.CookieHeader}) {
		pairs = append(pairs, [2]string{cookie.DecodeName(name), value})
	}
	for name, value := range r.in.Jar {
		pairs = append(pairs, [2]string{name, cookie.EncodeValue(value)})
	}
	slices.SortStableFunc(pairs, func(a, b [2]string) int { return cmp.Compare(a[0], b[0]) })
	return pairs
}

// lastAuthUsers returns the values of LastAuthUser as they are sent.
func (r *recordedCase) lastAuthUsers() (values []string) {
	for _, c := range r.carried() {
		if c[0] == clientPrefix+"LastAuthUser" {
			values = append(values, c[1])
		}
	}
	return values
}

// user returns the user whose session the request carries: the first that LastAuthUser names and
// that has an access token, else the first that it names.
func (r *recordedCase) user() string {
	var users []string
	for _, value := range r.lastAuthUsers() {
		users = append(users, cookie.DecodeValue(strings.Trim(value, `"`)))
	}
	for _, user := range users {
		if r.value(user+".accessToken") != "" {
			return user
		}
	}
	return strings.Join(users[:min(1, len(users))], "")
}

func (r *recordedCase) value(key string) string {
	for _, c := range r.carried() {
		if c[0] == clientPrefix+key {
			return cookie.DecodeValue(c[1])
		}
	}
	return ""
}

// cookie returns the user's value under key.
func (r *recordedCase) cookie(key string) string { return r.value(r.user() + "." + key) }

// has reports whether the user has a value under key, be it empty.
func (r *recordedCase) has(key string) bool {
	return slices.ContainsFunc(r.carried(), func(c [2]string) bool { return c[0] == clientPrefix+r.user()+"."+key })
}

// token returns the description of the token that a placeholder stands for.
func (r *recordedCase) token(placeholder string) conformance.TokenSpec {
	return r.in.Tokens[strings.TrimSuffix(strings.TrimPrefix(placeholder, "{{token:"), "}}")]
}

// presented returns the description of the user's token under key.
func (r *recordedCase) presented(key string) conformance.TokenSpec { return r.token(r.cookie(key)) }

// intact reports whether both tokens are there and would verify, so far as one sees.
func (r *recordedCase) intact() bool {
	for _, key := range []string{"accessToken", "idToken"} {
		if t := r.presented(key); t.Claims == nil || fault(t) != "" {
			return false
		}
	}
	return true
}

// expired reports whether we take the user's session for expired: a clockDrift makes it expire at
// most a minute earlier.
func (r *recordedCase) expired() bool {
	drift, err := strconv.ParseInt(r.cookie("clockDrift"), 10, 64)
	if err != nil {
		drift = 0
	}
	exp, ok := r.presented("accessToken").Times["exp"]
	return ok && exp*1000 <= min(max(drift, 0), 60_000)
}

// details returns the user's signInDetails, or nil if they are no object.
func (r *recordedCase) details() (details map[string]any) {
	if json.Unmarshal([]byte(r.cookie("signInDetails")), &details) != nil {
		return nil
	}
	return details
}

// guest returns the guest's identity that the request carries.
func (r *recordedCase) guest() string {
	for _, c := range r.carried() {
		if strings.HasPrefix(c[0], "com.amplify.Cognito.") && strings.HasSuffix(c[0], ".identityId") {
			return cookie.DecodeValue(c[1])
		}
	}
	return ""
}

// calls reports whether the recorded calls name the target.
func (r *recordedCase) calls(target string) bool {
	return slices.ContainsFunc(r.targets(), func(s string) bool { return strings.HasPrefix(s, target) })
}

// count tells how many of the recorded calls are of the operation.
func (r *recordedCase) count(operation string) (n int) {
	for _, target := range r.targets() {
		if strings.HasSuffix(target, "."+operation) {
			n++
		}
	}
	return n
}

func (r *recordedCase) targets() (targets []string) {
	calls, _ := r.Want("upstreamCalls").([]any)
	for _, c := range calls {
		m, _ := c.(map[string]any)
		target, _ := m["target"].(string)
		targets = append(targets, target)
	}
	return targets
}

func (r *recordedCase) recordedCookies() (lines []string) {
	all, _ := r.Want("setCookie").([]any)
	for _, line := range all {
		lines = append(lines, line.(string))
	}
	return lines
}

// recordedSignedIn reports whether the original took the user for signed in.
func (r *recordedCase) recordedSignedIn() bool {
	result, ok := r.Want("result").(map[string]any)
	return ok && (result["tokens"] != nil || r.in.API != "fetchAuthSession")
}

// recordedNobody reports whether the original took the user for not signed in.
func (r *recordedCase) recordedNobody() bool {
	if r.in.API == "fetchAuthSession" {
		result, ok := r.Want("result").(map[string]any)
		return ok && result["tokens"] == nil
	}
	return r.Want("error", "name") == unauthenticated.Name
}

// recordedComplete reports whether the original found both tokens, or the user's name.
func (r *recordedCase) recordedComplete() bool {
	result, _ := r.Want("result").(map[string]any)
	tokens, _ := result["tokens"].(map[string]any)
	return tokens["idToken"] != nil || result["username"] != nil
}

// secondFails reports whether the second of two calls was an error, and the first was not.
func (r *recordedCase) secondFails() bool {
	failed := func(v any) bool { m, _ := v.(map[string]any); return m["error"] != nil }
	results, _ := r.Want("results").([]any)
	return len(results) == 2 && !failed(results[0]) && failed(results[1])
}

// withoutIdentity returns the recorded Set-Cookie lines that do not concern a guest's identity.
func (r *recordedCase) withoutIdentity() []string {
	lines := []string{}
	for _, line := range r.recordedCookies() {
		if name, _, _ := strings.Cut(line, "="); !strings.HasSuffix(name, ".identityId") {
			lines = append(lines, line)
		}
	}
	return lines
}

// answers reports whether f holds for an answer to a refresh.
func (r *recordedCase) answers(f func(conformance.Answer) bool) bool {
	return slices.ContainsFunc(r.in.Upstream["GetTokensFromRefreshToken"], f)
}

type refreshAnswer struct {
	AccessToken  string
	IDToken      string `json:"IdToken"`
	RefreshToken string
}

func (r *recordedCase) answer(a conformance.Answer) refreshAnswer {
	var body struct{ AuthenticationResult refreshAnswer }
	_ = json.Unmarshal(a.JSON, &body)
	return body.AuthenticationResult
}

// lastAnswer returns the last answer to a refresh that has tokens.
func (r *recordedCase) lastAnswer() (last refreshAnswer) {
	for _, a := range r.in.Upstream["GetTokensFromRefreshToken"] {
		if answer := r.answer(a); answer.AccessToken != "" {
			last = answer
		}
	}
	return last
}

// answerFault tells why a refreshed token does not verify, or "".
func (r *recordedCase) answerFault() amplify.Reason {
	last := r.lastAnswer()
	return cmp.Or(fault(r.token(last.AccessToken)), fault(r.token(last.IDToken)))
}

// brokenAnswers returns the operation that is answered by a 5xx without JSON, and its answers.
func (r *recordedCase) brokenAnswers() (operation string, answers []conformance.Answer) {
	for _, operation := range slices.Sorted(maps.Keys(r.in.Upstream)) {
		answers := r.in.Upstream[operation]
		if slices.ContainsFunc(answers, func(a conformance.Answer) bool { return a.Status >= 500 && a.JSON == nil }) {
			return operation, answers
		}
	}
	return "", nil
}

// What we answer, in the form of the recordings.

// expect returns the case with the outcome of each of its calls, the cookies that are set, and the
// calls that are made.
func (r *recordedCase) expect(o outcome, setCookie []string, calls any) conformance.Case {
	c := r.only()
	if r.in.Calls == "" {
		if o.Error != nil {
			c = c.Expect(o.Error, "error")
		} else {
			c = c.Expect(o.Result, "result")
		}
		if o.Unauthenticated != "" {
			c = c.Expect(o.Unauthenticated, "unauthenticated")
		}
	} else {
		c = c.Expect([]outcome{o, o}, "results")
	}
	if calls == nil {
		calls = []any{}
	}
	return c.Expect(append([]string{}, setCookie...), "setCookie").Expect(calls, "upstreamCalls")
}

// only returns the case without what is recorded.
func (r *recordedCase) only() conformance.Case {
	c := r.Case
	c.Expected = []byte("{}")
	return c
}

// fails is an error that leaves the cookies alone.
func (r *recordedCase) fails(w wording, reason amplify.Reason, calls any) conformance.Case {
	return r.expect(outcome{Error: &errorOutcome{
		Name: w.Name, Message: w.Message, RecoverySuggestion: w.RecoverySuggestion, Reason: reason,
	}}, nil, calls)
}

// nobody is signed in: an error, or the session of a guest if the identity pool allows one.
func (r *recordedCase) nobody(reason amplify.Reason) conformance.Case {
	if r.in.API != "fetchAuthSession" {
		return r.fails(unauthenticated, reason, nil)
	}
	o := outcome{Result: map[string]any{}, Unauthenticated: reason}
	pool, _ := r.In("config", "Auth", "Cognito", "identityPoolId").(string)
	if pool == "" || r.In("config", "Auth", "Cognito", "allowGuestAccess") != true {
		return r.expect(o, nil, nil)
	}
	var calls []any
	id := r.guest()
	if id == "" {
		var answer struct {
			IdentityID string `json:"IdentityId"`
		}
		_ = json.Unmarshal(r.in.Upstream["GetId"][0].JSON, &answer)
		id = answer.IdentityID
		calls = append(calls, r.call("cognito-identity", "AWSCognitoIdentityService.GetId", 1,
			map[string]any{"IdentityPoolId": pool, "Logins": map[string]any{}}))
	}
	calls = append(calls, r.call("cognito-identity", "AWSCognitoIdentityService.GetCredentialsForIdentity", 1, map[string]any{"IdentityId": id}))
	var answer struct {
		Credentials struct {
			AccessKeyID  string `json:"AccessKeyId"`
			SecretKey    string
			SessionToken string
			Expiration   float64
		}
	}
	_ = json.Unmarshal(r.in.Upstream["GetCredentialsForIdentity"][0].JSON, &answer)
	o.Result = map[string]any{"identityId": id, "credentials": map[string]any{
		"accessKeyId": answer.Credentials.AccessKeyID, "secretAccessKey": answer.Credentials.SecretKey,
		"sessionToken": answer.Credentials.SessionToken,
		"expiration":   time.UnixMilli(int64(answer.Credentials.Expiration * 1000)).UTC().Format("2006-01-02T15:04:05.000Z"),
	}}
	var lines []string
	if r.guest() == "" && r.writable() && r.in.Origin == "" {
		lines = []string{r.setCookie("com.amplify.Cognito."+pool+".identityId", id)}
	}
	return r.expect(o, lines, calls)
}

// notRefreshed is what becomes of a session without a refresh token.
func (r *recordedCase) notRefreshed() conformance.Case {
	if r.in.Options.ForceRefresh && !r.expired() {
		return r.fails(wording{
			"TokenRefreshException", "The session has no refresh token.",
			"Force a refresh only where the session comes from a sign-in that gave a refresh token.",
		}, "", nil)
	}
	return r.nobody(amplify.ReasonExpiredNoRefreshToken)
}

// signedIn is the user's session, refreshed if it has expired.
func (r *recordedCase) signedIn() conformance.Case {
	if r.expired() || r.in.Options.ForceRefresh {
		return r.refreshed()
	}
	return r.expect(r.session(r.cookie("accessToken"), r.cookie("idToken")), nil, nil)
}

// refreshed is the user's session after one refresh.
func (r *recordedCase) refreshed() conformance.Case {
	first := r.answer(r.in.Upstream["GetTokensFromRefreshToken"][0])
	return r.refreshedBy(first, []any{r.refreshCall(1)})
}

func (r *recordedCase) refreshedBy(answer refreshAnswer, calls []any) conformance.Case {
	o := r.session(answer.AccessToken, answer.IDToken)
	if !r.writable() {
		return r.expect(o, nil, calls)
	}
	values := map[string]string{
		"accessToken": answer.AccessToken, "idToken": answer.IDToken,
		"refreshToken": cmp.Or(answer.RefreshToken, r.cookie("refreshToken")),
	}
	if details := r.cookie("signInDetails"); details != "" && r.details() != nil && r.in.Origin == "" {
		values["signInDetails"] = details
	}
	lines := append(slices.Clone(r.in.PresetSetCookie), r.setCookie(clientPrefix+"LastAuthUser", r.user()))
	for key, value := range values {
		lines = append(lines, r.setCookie(clientPrefix+r.user()+"."+key, value))
	}
	return r.expect(o, lines, calls)
}

// retried is what comes of up to three attempts at an operation.
func (r *recordedCase) retried() conformance.Case {
	operation, answers := r.brokenAnswers()
	var calls []any
	for attempt := 1; attempt <= 3; attempt++ {
		if operation == "GetId" {
			calls = append(calls, r.call("cognito-identity", "AWSCognitoIdentityService.GetId", attempt, map[string]any{
				"IdentityPoolId": r.In("config", "Auth", "Cognito", "identityPoolId"), "Logins": map[string]any{},
			}))
		} else {
			calls = append(calls, r.refreshCall(attempt))
		}
		a := answers[min(attempt, len(answers))-1]
		if a.Status == http.StatusOK {
			return r.refreshedBy(r.answer(a), calls)
		}
	}
	message := "UnknownError"
	if a := answers[min(3, len(answers))-1]; a.Text != "" {
		message = http.StatusText(a.Status)
	}
	return r.fails(wording{"UnknownError", message, ""}, amplify.ReasonServiceUnavailable, calls)
}

// session is the outcome for the user who has these tokens.
func (r *recordedCase) session(access, id string) outcome {
	sub := r.token(access).Claims["sub"]
	if r.in.API == "getCurrentUser" {
		user := map[string]any{"username": r.token(id).Claims["cognito:username"], "userId": sub}
		if details := r.details(); details != nil {
			user["signInDetails"] = details
		}
		return outcome{Result: user}
	}
	tokens := map[string]any{"accessToken": access, "idToken": id}
	if details := r.details(); details != nil {
		tokens["signInDetails"] = details
	}
	return outcome{Result: map[string]any{"userSub": sub, "tokens": tokens}}
}

// deletions are Set-Cookie lines that delete what the request carries of the user's session. The
// device stays remembered.
func (r *recordedCase) deletions() (lines []string) {
	for _, key := range []string{
		"LastAuthUser", r.user() + ".accessToken", r.user() + ".idToken", r.user() + ".refreshToken", r.user() + ".clockDrift",
		r.user() + ".signInDetails", r.user() + ".oauthMetadata",
	} {
		lines = append(lines, cookie.EncodeName(clientPrefix+key)+"=; Path=/; Max-Age=0")
	}
	return lines
}

// writable reports whether the response of the case can set cookies.
func (r *recordedCase) writable() bool {
	return !slices.Contains([]string{"cookies-readonly", "null", "unsupported"}, r.in.Context)
}

// setCookie returns a Set-Cookie line with the attributes that the case asks for.
func (r *recordedCase) setCookie(name, value string) string {
	a := r.in.RuntimeOptions.Cookies
	line := cookie.EncodeName(name) + "=" + cookie.EncodeValue(value) + "; Path=/"
	switch {
	case a.MaxAge > 0:
		line += fmt.Sprintf("; Max-Age=%d", a.MaxAge)
	case !a.Expires.Date.IsZero():
		line += "; Expires=" + a.Expires.Date.UTC().Format(http.TimeFormat)
	default:
		line += "; Max-Age=31536000"
	}
	if a.Domain != "" {
		line += "; Domain=" + a.Domain
	}
	sameSite := "lax"
	if r.in.Origin != "" {
		sameSite, line = "strict", line+"; HttpOnly"
	}
	if !strings.HasPrefix(r.in.Origin, "http:") {
		line += "; Secure"
	}
	return line + "; SameSite=" + cmp.Or(a.SameSite, sameSite)
}

func (r *recordedCase) refreshCall(attempt int) any {
	body := map[string]any{"ClientId": "4corpusclientid0000000001", "RefreshToken": r.cookie("refreshToken")}
	if key := r.cookie("deviceKey"); key != "" {
		body["DeviceKey"] = key
	}
	if r.in.Options.ClientMetadata != nil {
		body["ClientMetadata"] = r.in.Options.ClientMetadata
	}
	return r.call("cognito-idp", "AWSCognitoIdentityProviderService.GetTokensFromRefreshToken", attempt, body)
}

func (r *recordedCase) call(service, target string, attempt int, body map[string]any) any {
	return map[string]any{
		"host": service + ".eu-west-1.amazonaws.com", "method": http.MethodPost, "path": "/", "target": target,
		"contentType": "application/x-amz-json-1.1", "amzSdkRequest": fmt.Sprintf("attempt=%d; max=3", attempt), "body": body,
	}
}
