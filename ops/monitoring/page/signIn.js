// Signing in with a token. It goes from the field to memory, and the field is emptied.
import { hasToken, setToken } from "./api.js";
import { byId } from "./dom.js";

/**
 * @param {() => void} given there is a token now
 * @returns {{ ask: () => void, accepted: () => void }}
 */
export function signIn(given) {
  const form = byId("sign-in", HTMLFormElement);
  const field = byId("token", HTMLInputElement);
  const words = byId("sign-in-error");
  const leave = byId("sign-out", HTMLButtonElement);

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const token = field.value.trim().replace(/^Bearer\s+/i, "");
    field.value = "";
    // What a header cannot carry is no token.
    const problem = token === "" ? "Give a token." : /^[\w.~+/=-]+$/.test(token) ? "" : "This is no token.";
    words.textContent = problem;
    if (problem !== "") {
      field.focus();
      return;
    }
    setToken(token);
    given();
  });
  leave.addEventListener("click", () => {
    // All that was shown goes, and the token with it.
    location.reload();
  });

  return {
    /** The service wants to know who asks. */
    ask: () => {
      if (hasToken()) words.textContent = "The service does not accept this token, or not any more.";
      setToken(undefined);
      leave.hidden = true;
      form.hidden = false;
    },
    accepted: () => {
      if (form.contains(document.activeElement)) byId("main").focus();
      words.textContent = "";
      form.hidden = true;
      leave.hidden = !hasToken();
    },
  };
}
