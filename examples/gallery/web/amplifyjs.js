// The sign-in page of the gallery, where Amplify JS signs people in. The server decides which forms
// the page has (templates/amplifyjs.html): this file says what each of them does.
import { Amplify } from 'aws-amplify';
import { autoSignIn, confirmSignUp, resendSignUpCode, signIn, signOut, signUp } from 'aws-amplify/auth';

// With ssr the tokens live in cookies instead of localStorage. That is how the server gets to see them.
Amplify.configure(JSON.parse(document.getElementById('resources-config').textContent), { ssr: true });

const actions = {
  async 'sign-in'({ email, password }) {
    await forget();
    const { nextStep } = await signIn({ username: email, password });
    proceed(nextStep.signInStep);
  },

  async 'sign-up'({ email, name, password }) {
    const { nextStep } = await signUp({
      username: email,
      password,
      options: { userAttributes: { email, name }, autoSignIn: true },
    });
    proceed(nextStep.signUpStep);
  },

  async confirm({ email, code }, button) {
    if (button.name === 'again') {
      await resendSignUpCode({ username: email });
      say('Another code is on its way.');
      return;
    }
    const { nextStep } = await confirmSignUp({ username: email, confirmationCode: code });
    if (nextStep.signUpStep === 'COMPLETE_AUTO_SIGN_IN') {
      await forget();
      proceed((await autoSignIn()).nextStep.signInStep);
    } else { // the page was loaded anew since the sign-up, and knows no password
      show('sign-in');
      say('Your account is confirmed. Now sign in.');
    }
  },

  async 'sign-out'() {
    await signOut();
    location.assign('/sign-in');
  },
};

// forget drops a session that only the browser still believes in. The server, which verifies sessions, has
// offered to sign in; Amplify JS refuses to as long as it finds tokens.
const forget = () => signOut();

// proceed follows Amplify JS to the next step.
function proceed(step) {
  switch (step) {
    case 'DONE':
      location.assign(destination());
      break;
    case 'CONFIRM_SIGN_UP':
      show('confirm');
      break;
    default:
      throw new Error(`This page has no form for ${step}. Managed login has: start the gallery with -sign-in=server.`);
  }
}

// destination is the room that sent the visitor here to sign in. Anybody can make up a link to this page: it
// leads nowhere but to this site.
function destination() {
  const wanted = new URLSearchParams(location.search).get('return_to') ?? '';
  const here = location.origin;
  return wanted && URL.canParse(wanted, here) && new URL(wanted, here).origin === here ? new URL(wanted, here).href : '/home';
}

const forms = [...document.forms];
const notice = document.getElementById('notice');

function say(text) {
  notice.textContent = text;
  notice.hidden = !text;
}

// show shows one form, and puts the cursor where there is something to do.
function show(id) {
  for (const form of forms) form.hidden = form.id !== id;
  const { elements } = forms.find((form) => form.id === id);
  [...elements].find((element) => !element.value)?.focus({ preventScroll: true });
}

// #sign-up in the address leads to the form of that name.
function follow() {
  const id = location.hash.slice(1);
  say('');
  show(forms.some((form) => form.id === id) ? id : forms[0].id);
}

for (const form of forms) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(form));
    for (const input of document.getElementsByName('email')) input.value = fields.email;
    const buttons = form.querySelectorAll('button');
    for (const button of buttons) button.disabled = true;
    say('');
    try {
      await actions[form.id](fields, event.submitter);
    } catch (error) {
      say(explain(error));
    }
    for (const button of buttons) button.disabled = false;
  });
}

function explain(error) {
  if (error.name === 'UnexpectedSignInInterruptionException') { // right, but nothing was kept
    return 'Your browser did not keep the session. Does it block cookies? Safari refuses Secure cookies on http://localhost: try Chrome, Edge or Firefox.';
  }
  return error.message;
}

document.getElementById('loading').hidden = true;
addEventListener('hashchange', follow);
follow();
