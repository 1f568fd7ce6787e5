// The dispatch desk.
import { render } from "preact";
import { mountPoint } from "./boot";
import { Again, Asking, Toast } from "./ui";

render(<><Toast /><Asking /><Again name="" /></>, mountPoint);
