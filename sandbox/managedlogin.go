package sandbox

import (
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// addManagedLogin gives outputs without managed login what they would have if the project deployed
// it: a domain, and the scopes of Amplify's construct. The domain follows from the id of the user
// pool, so that a restart changes nothing.
func (o *outputs) addManagedLogin() error {
	_, name, _ := strings.Cut(o.auth.UserPoolID, "_")
	prefix := "sandbox-" + strings.ToLower(name)
	o.auth.OAuth = &oauthOutputs{
		IdentityProviders: []string{},
		Domain:            prefix + ".auth." + o.auth.Region + ".amazoncognito.com",
		// DEFAULT_OAUTH_SCOPES in packages/auth-construct of aws-amplify/amplify-backend
		Scopes:       []string{"phone", "email", "openid", "profile", userpool.AdminScope},
		ResponseType: "code",
	}
	return setMember(o.authWhole, "oauth", o.auth.OAuth)
}

// deployment says what the project has to deploy for managed login: in the words of Gen 2's
// amplify/auth/resource.ts, or as a command of Gen 1. Both choose a domain themselves.
func (o *outputs) deployment(signIn, signOut []string) string {
	if o.gen1 {
		return "amplify update auth, with the redirect sign-in URIs " + strings.Join(signIn, ", ") +
			" and the redirect sign-out URIs " + strings.Join(signOut, ", ")
	}
	var with []string
	for _, a := range o.auth.UsernameAttributes {
		switch a {
		case "email":
			with = append(with, "email: true")
		case "phone_number":
			with = append(with, "phone: true")
		}
	}
	list := func(urls []string) string { return "['" + strings.Join(urls, "', '") + "']" }
	with = append(with, "externalProviders: { callbackUrls: "+list(signIn)+
		", logoutUrls: "+list(signOut)+" }")
	return "defineAuth({ loginWith: { " + strings.Join(with, ", ") + " } })"
}
