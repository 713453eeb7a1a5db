package sandbox_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/amplify-go/amplify/sandbox"
)

// TestAddressChanges: a new e-mail address replaces the one that the user signs in with once it is
// verified, as Amplify's construct has it (construct.ts, keepOriginal). The Guide is the Developer
// Guide, "Verifying updates to email addresses and phone numbers".
func TestAddressChanges(t *testing.T) {
	const taken, fresh, fresher = "taken@example.com", "fresh@example.com", "fresher@example.com"
	s, ctx := start(t, sandbox.Config{Users: []sandbox.User{
		{Email: email, Password: password}, {Email: taken, Password: password},
	}}), t.Context()
	c, out := sdk(s), outputsOf(t, s)
	in, err := signIn(t, c, out.Auth.ClientID, email, password)
	if err != nil {
		t.Fatal(err)
	}
	access := in.AuthenticationResult.AccessToken
	attributes := func(pairs ...string) (list []types.AttributeType) {
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, types.AttributeType{Name: &pairs[i], Value: &pairs[i+1]})
		}
		return list
	}
	var sent []types.CodeDeliveryDetailsType
	update := func(address string) func() error {
		return func() error {
			updated, err := c.UpdateUserAttributes(ctx, &cognito.UpdateUserAttributesInput{
				AccessToken: access, UserAttributes: attributes("email", address)})
			if err == nil {
				sent = updated.CodeDeliveryDetailsList
			}
			return err
		}
	}
	updateAsAdmin := func(name string, pairs ...string) func() error {
		return func() error {
			_, err := c.AdminUpdateUserAttributes(ctx, &cognito.AdminUpdateUserAttributesInput{
				UserPoolId: &out.Auth.PoolID, Username: &name,
				UserAttributes: attributes(pairs...)})
			return err
		}
	}
	signInAs := func(name string) func() error {
		return func() error {
			_, err := signIn(t, c, out.Auth.ClientID, name, password)
			return err
		}
	}
	// verify gives the code that the user was sent last, under the name of the user.
	verify := func(name string) func() error {
		return func() error {
			code, err := s.LastCode(ctx, name)
			if err != nil {
				return err
			}
			_, err = c.VerifyUserAttribute(ctx, &cognito.VerifyUserAttributeInput{
				AccessToken: access, AttributeName: aws.String("email"), Code: &code})
			return err
		}
	}
	resend := func() error {
		resent, err := c.GetUserAttributeVerificationCode(ctx,
			&cognito.GetUserAttributeVerificationCodeInput{
				AccessToken: access, AttributeName: aws.String("email")})
		if err == nil {
			sent = []types.CodeDeliveryDetailsType{*resent.CodeDeliveryDetails}
		}
		return err
	}
	hasAddress := func(want string) {
		t.Helper()
		me, err := c.GetUser(ctx, &cognito.GetUserInput{AccessToken: access})
		if err != nil {
			t.Fatal(err)
		}
		if got := attribute(me.UserAttributes, "email"); got != want ||
			attribute(me.UserAttributes, "email_verified") != "true" {
			t.Errorf("the user has %+v, want %s, verified", me.UserAttributes, want)
		}
	}
	wentTo := func(destination string) {
		t.Helper()
		if len(sent) != 1 || *sent[0].Destination != destination ||
			*sent[0].AttributeName != "email" {
			t.Errorf("codes went to %+v, want %s", sent, destination)
		}
		sent = nil
	}

	checkAll(t, []behaviour{
		{"a new address", "", "API: UpdateUserAttributes", update(fresh)},
		{"sign-in by the original", "", "Guide", signInAs(email)},
		{"sign-in by the new one", notAuthorized, "Guide", signInAs(fresh)},
	})
	hasAddress(email)
	wentTo("f***@e***")
	forgot, err := c.ForgotPassword(ctx, &cognito.ForgotPasswordInput{
		ClientId: &out.Auth.ClientID, Username: aws.String(email)})
	if err != nil || *forgot.CodeDeliveryDetails.Destination != "a***@e***" {
		t.Errorf("the code for the password: %+v, %v; want it at the original (Guide)", forgot, err)
	}
	checkAll(t, []behaviour{
		{"another new address", "", "Guide: Sue mistypes hers", update(fresher)},
		{"another code", "", "API: GetUserAttributeVerificationCode", resend},
	})
	wentTo("f***@e***")
	checkAll(t, []behaviour{
		{"its code", "", "API: VerifyUserAttribute", verify(email)},
		{"sign-in by the new one", "", "Guide", signInAs(fresher)},
		{"sign-in by the original", notAuthorized, "Guide", signInAs(email)},
		{"the address of another user", "AliasExistsException", "API: UpdateUserAttributes",
			update(taken)},
		{"removing the address", invalidParameter, "Developer Guide, Required attributes",
			func() error {
				_, err := c.DeleteUserAttributes(ctx, &cognito.DeleteUserAttributesInput{
					AccessToken: access, UserAttributeNames: []string{"email"}})
				return err
			}},
	})
	hasAddress(fresher)

	checkAll(t, []behaviour{
		{"by an administrator", "", "API: AdminUpdateUserAttributes",
			updateAsAdmin(fresher, "email", email)},
		{"sign-in by the original", "", "API: AdminUpdateUserAttributes", signInAs(fresher)},
		{"the code", "", "API: AdminUpdateUserAttributes", verify(fresher)},
		{"sign-in by the new one", "", "API: AdminUpdateUserAttributes", signInAs(email)},
		{"verified by an administrator", "", "API: AdminUpdateUserAttributes",
			updateAsAdmin(email, "email", fresh, "email_verified", "true")},
		{"sign-in by it", "", "API: AdminUpdateUserAttributes", signInAs(fresh)},
		{"the address of another user, by an administrator", "AliasExistsException",
			"API: AdminUpdateUserAttributes", updateAsAdmin(fresh, "email", taken)},
	})
	hasAddress(fresh)

	// An address that is free when it is given may be taken when it is verified.
	checkAll(t, []behaviour{
		{"a free address", "", "API", update(fresher)},
		{"another user takes it", "", "API",
			updateAsAdmin(taken, "email", fresher, "email_verified", "true")},
		{"its code", "AliasExistsException", "API: VerifyUserAttribute", verify(fresh)},
	})
	hasAddress(fresh)
}
