// Quizzes: Check says whether the answer is right and why; a wrong try gives nothing else away.
for (const form of document.querySelectorAll("form.quiz")) {
  const key = form.querySelector(".quiz-key");
  const reasons = [...key.querySelectorAll("li > span")];
  const inputs = [...form.querySelectorAll("input")];
  const status = form.querySelector("[role=status]");
  const isRight = (input) => input.dataset.right === "1";

  const say = (input, reason) => {
    const option = input.closest(".quiz-option");
    const why = option.querySelector(".quiz-why");
    option.dataset.state = isRight(input) ? "right" : "wrong";
    why.replaceChildren(...[...reason.childNodes].map((node) => node.cloneNode(true)));
    why.hidden = false;
  };
  const clear = () => {
    status.textContent = "";
    for (const option of form.querySelectorAll(".quiz-option")) {
      delete option.dataset.state;
      option.querySelector(".quiz-why").hidden = true;
    }
  };
  const check = (event) => {
    event.preventDefault();
    clear();
    const solved = inputs.every((input) => input.checked === isRight(input));
    inputs.forEach((input, at) => { if (solved || input.checked) say(input, reasons[at]); });
    if (solved) status.textContent = "Right.";
    else if (inputs.some((input) => input.checked)) status.textContent = "Not yet. Read the reason and try again.";
    else status.textContent = "Choose an answer first.";
  };

  form.addEventListener("change", clear);
  form.addEventListener("submit", check);
}
