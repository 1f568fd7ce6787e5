// The departments' inbox.
import { render } from "preact";
import { mountPoint } from "./boot";

render(<p class="empty">收件箱</p>, mountPoint);
